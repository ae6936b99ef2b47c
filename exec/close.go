package exec

import (
	"context"
	"errors"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// unload asks all workers to free what they hold and tells obs how much it was.
func (c *cluster) unload(obs edgeshard.Observer, end time.Duration) {
	ctx, cancel := context.WithTimeout(c.ctx, unloadTimeout)
	defer cancel()
	for _, m := range c.members {
		if err := m.send(&wire.Command{Kind: &wire.Command_Unload{Unload: &wire.Unload{}}}); err != nil {
			c.log.Warn("unload", "device", m.name, "err", err)
		}
	}
	said := make(map[int]*wire.Imitation)
	for _, m := range c.members {
		e, err := m.await(ctx, unloadTimeout, nil)
		if err != nil {
			c.log.Warn("unload", "device", m.name, "err", err)
			continue
		}
		obs.Span(edgeshard.Span{
			What: edgeshard.Memory, Request: -1, Stage: -1, Device: m.device, To: -1,
			Bytes: e.GetUnloaded().GetPeakBytes(), End: end,
		})
		said[m.device] = e.GetUnloaded().GetImitation()
	}
	if c.options.Imitated != nil && c.options.Emulate {
		c.options.Imitated(c.imitation(said))
	}
}

// close ends the run: streams, connections, local workers. It leaves nothing
// behind. Where the run has failed it does not ask but kill.
func (c *cluster) close() {
	failed := c.ctx.Err() != nil
	c.cancel(errors.New("the run is over"))
	for _, m := range c.members {
		if m.conn != nil {
			_ = m.conn.Close()
		}
		if m.local == nil {
			continue
		}
		m.local.stop()
		if failed {
			m.local.kill()
		}
	}
	for _, m := range c.members {
		if m.local != nil {
			m.local.wait()
		}
	}
	c.tasks.Wait()
	c.shelf.close()
}

// wait returns when the worker has ended, which it sees to.
func (l *localWorker) wait() {
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		l.kill()
		<-l.done
	}
}
