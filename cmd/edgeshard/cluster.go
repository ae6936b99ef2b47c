package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/serve"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/topologies"
)

// askTimeout is how long a server or a worker may take to tell how it is.
const askTimeout = 5 * time.Second

func (a *app) clusterCmd() *cobra.Command {
	return group("cluster", "Look after a running cluster", a.clusterStatusCmd())
}

// clusterFlags say whom to ask how a cluster is.
type clusterFlags struct {
	server, key, ca string
	topology        string
	credentials     credentialFlags
}

func (a *app) clusterStatusCmd() *cobra.Command {
	var c clusterFlags
	cmd := &cobra.Command{
		Use: "status [-t TOPOLOGY]", Short: "Show devices, their health, shards, memory and throughput",
		Long: "Show how a cluster is: by asking a running `edgeshard serve`, or with -t the workers of a topology themselves,\n" +
			"which needs their credentials.",
		Example: "edgeshard cluster status\nedgeshard cluster status --server https://hub:8443 --api-key-file key --tls-ca server-ca.crt\n" +
			"edgeshard cluster status -t home.toml --cert c.crt --key c.key --ca ca.crt",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.topology != "" {
				return a.askWorkers(cmd.Context(), &c)
			}
			return a.askServer(cmd.Context(), &c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.server, "server", "http://127.0.0.1:8080", "of edgeshard serve")
	f.StringVar(&c.key, "api-key-file", "", "file whose first key is shown to the server")
	f.StringVar(&c.ca, "tls-ca", "", "authority of the server's certificate; default: those the system trusts")
	f.StringVarP(&c.topology, "topology", "t", "", "ask the workers of this topology themselves")
	c.credentials.register(cmd)
	return cmd
}

// askServer shows what a server tells of its cluster.
func (a *app) askServer(ctx context.Context, c *clusterFlags) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.server, "/")+"/status", http.NoBody)
	if err != nil {
		return usagef("--server: %w", err)
	}
	if c.key != "" {
		key, err := firstKey(c.key)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no server at %s: %w", c.server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var s serve.Status
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &s) != nil {
		return fmt.Errorf("%s/status answers %s: %.200s", c.server, resp.Status, body)
	}
	return a.showCluster(&s)
}

func (c *clusterFlags) client() (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", c.ca)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: askTimeout}, nil
}

// firstKey returns the first key of a file.
func firstKey(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s has no key", file)
}

// askWorkers shows what the workers of a topology tell of themselves.
func (a *app) askWorkers(ctx context.Context, c *clusterFlags) error {
	t, err := topologies.Load(c.topology)
	if err != nil {
		return err
	}
	own, err := c.credentials.load()
	if err != nil {
		return err
	}
	if own == nil && !c.credentials.insecure {
		return usagef("want --cert, --key and --ca, or --insecure for workers on loopback")
	}
	s := serve.Status{Devices: askAll(ctx, t, own)}
	if len(s.Devices) == 0 {
		return errors.New("no device of the topology has an address: local workers are asked through their server")
	}
	return a.showCluster(&s)
}

func askAll(ctx context.Context, t *topologies.Topology, own *wire.Credentials) []exec.DeviceStatus {
	var all []exec.DeviceStatus
	var group sync.WaitGroup
	var mu sync.Mutex
	byName := make(map[string]exec.DeviceStatus)
	for _, d := range t.Devices {
		if d.Address != "" {
			group.Go(func() {
				s := exec.AskStatus(ctx, d.Name, d.Address, own, askTimeout)
				mu.Lock()
				defer mu.Unlock()
				byName[d.Name] = s
			})
		}
	}
	group.Wait()
	for _, d := range t.Devices {
		if s, ok := byName[d.Name]; ok {
			all = append(all, s)
		}
	}
	return all
}

// showCluster writes a status for people, or for scripts.
func (a *app) showCluster(s *serve.Status) error {
	if a.format == "json" {
		return a.json(s)
	}
	if s.Model != "" {
		a.title("%s: %s for %s", s.Model, s.State, (time.Duration(s.UptimeS) * time.Second))
		a.printf("  %d sequences run, %d wait, %d done · %d tokens, %s tokens/s in the last 10 s · %d recoveries\n",
			s.Running, s.Waiting, s.Done, s.Tokens, digits(s.Throughput), s.Recoveries)
	}
	var rows [][]string
	for i := range s.Devices {
		rows = append(rows, deviceRow(&s.Devices[i]))
	}
	a.table([]string{"device", "health", "state", "units", "memory", "weights", "sequences", "passes/s", "utilised", "°C", "address"}, rows)
	return nil
}

func deviceRow(d *exec.DeviceStatus) []string {
	if d.Health != exec.Healthy {
		return []string{d.Device, errorStyle.Render(d.Health), "", "", "", "", "", "", "", "", d.Address}
	}
	var units []string
	for _, g := range d.Stages {
		units = append(units, fmt.Sprintf("%d–%d", g.From, g.To-1))
	}
	memory, heat := bytesText(d.Resident), "–"
	if d.MemoryBudget > 0 {
		memory += " of " + bytesText(d.MemoryBudget)
	}
	if d.TemperatureC != nil {
		heat = digits(*d.TemperatureC)
	}
	return []string{
		d.Device, goodStyle.Render(d.Health), d.State, strings.Join(units, ", "), memory, bytesText(d.WeightBytes),
		fmt.Sprint(d.Sequences), digits(d.PassesPerS), fmt.Sprintf("%.1f %%", 100*d.Utilisation), heat, d.Address,
	}
}
