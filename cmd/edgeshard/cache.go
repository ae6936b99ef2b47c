package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec/weights"
	"github.com/edgeshard/edgeshard/topologies"
)

// cacheFlags say where weights that others sent are kept.
type cacheFlags struct {
	dir, limit string
}

func (c *cacheFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.dir, "cache", "", "folder of weights that others sent; default: edgeshard/weights in the user's cache folder")
	f.StringVar(&c.limit, "cache-size", "64GiB", "the most it may hold: what was used longest ago makes room; 0: no limit")
}

// open opens the cache, which makes its folder.
func (c *cacheFlags) open() (*weights.Store, error) {
	dir := c.dir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, usagef("no folder for the cache of weights: want --cache (%w)", err)
		}
		dir = filepath.Join(user, "edgeshard", "weights")
	}
	var limit topologies.Bytes
	if c.limit != "0" {
		if err := limit.UnmarshalText([]byte(c.limit)); err != nil {
			return nil, usagef("--cache-size: %w", err)
		}
	}
	return weights.OpenStore(dir, int64(limit))
}

func (a *app) cacheCmd() *cobra.Command {
	return group("cache", "Look after the weights that a worker was sent", a.cacheListCmd(), a.cacheCheckCmd(), a.cacheClearCmd())
}

// cacheSub is a subcommand on the cache.
func cacheSub(use, short string, run func(*cobra.Command, *weights.Store) error) *cobra.Command {
	var flags cacheFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := flags.open()
			if err != nil {
				return err
			}
			return run(cmd, s)
		},
	}
	flags.register(cmd)
	return cmd
}

func (a *app) cacheListCmd() *cobra.Command {
	return cacheSub("list", "List the tensors in the cache, what was used longest ago first", func(_ *cobra.Command, s *weights.Store) error {
		entries, err := s.Entries()
		if err != nil {
			return err
		}
		type row struct {
			Object string    `json:"object"`
			Bytes  int64     `json:"bytes"`
			Used   time.Time `json:"used"`
		}
		total, rows, cells := int64(0), []row{}, [][]string{}
		for _, e := range entries {
			total += e.Size
			rows = append(rows, row{e.ID.String(), e.Size, e.Used})
			cells = append(cells, []string{e.ID.String()[:16], bytesText(e.Size), e.Used.Format(time.DateTime)})
		}
		if a.format == "json" {
			return a.json(rows)
		}
		if len(rows) > 0 {
			a.table([]string{"tensor", "bytes", "used"}, cells)
		}
		a.printf("%d tensors, %s", len(rows), bytesText(total))
		return nil
	})
}

func (a *app) cacheCheckCmd() *cobra.Command {
	return cacheSub("check", "Hash all that the cache holds, and remove what is damaged", func(cmd *cobra.Command, s *weights.Store) error {
		good, bad, err := s.Check(cmd.Context(), func(done, total int64) { a.progress("hashing %s of %s", bytesText(done), bytesText(total)) })
		a.clear()
		if err != nil {
			return err
		}
		if a.format == "json" {
			return a.json(map[string]int{"good": good, "removed": bad})
		}
		a.printf("%d tensors are as they were sent, %d were damaged and are removed", good, bad)
		return nil
	})
}

func (a *app) cacheClearCmd() *cobra.Command {
	return cacheSub("clear", "Empty the cache", func(_ *cobra.Command, s *weights.Store) error { return s.Clear() })
}
