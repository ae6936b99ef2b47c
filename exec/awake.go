package exec

import (
	"encoding/json"
	"fmt"
	"os/exec"
)

// keepAwake starts a process that keeps the processor's cores awake, at a priority
// at which it takes time from nobody, until the cluster closes. A core that has
// slept for some milliseconds computes slower and less evenly at first (by a third
// and more on virtual machines), and the idling of a worker that imitates a slower
// device stands for computing, not for sleep.
func (c *cluster) keepAwake() error {
	cmd := exec.Command(c.options.Local[0], c.options.Local[1:]...)
	cmd.SysProcAttr, cmd.WaitDelay = ownGroup(), stopTimeout
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("process that keeps cores awake: %w", err)
	}
	_ = json.NewEncoder(stdin).Encode(&orders{Awake: true}) // a process that does not read is killed below
	c.tasks.Go(func() {
		<-c.ctx.Done()
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return nil
}
