package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// certDir is where certificates are made and looked for unless told otherwise.
const certDir = "edgeshard-certs"

func (a *app) certCmd() *cobra.Command {
	return group("cert", "Make the certificates of a cluster", a.certInitCmd(), a.certIssueCmd(), a.certListCmd(), a.certRevokeCmd())
}

func (a *app) certInitCmd() *cobra.Command {
	dir := certDir
	cmd := &cobra.Command{
		Use: "init", Short: "Make a cluster's certificate authority", Args: usageArgs(cobra.NoArgs),
		Long: "Make a cluster's certificate authority. Its key issues the certificates of coordinator and workers: keep the folder on one machine.",
		RunE: func(*cobra.Command, []string) error {
			if err := wire.InitCA(dir); err != nil {
				return err
			}
			a.printf("made an authority in %s: issue a certificate to each device with edgeshard cert issue NAME HOST...", dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", dir, "folder")
	return cmd
}

func (a *app) certIssueCmd() *cobra.Command {
	dir, valid, renew := certDir, wire.DeviceLifetime, false
	cmd := &cobra.Command{
		Use: "issue NAME [HOST...]", Short: "Issue a certificate to a device, or to the coordinator",
		Example: "edgeshard cert issue pi-1 192.168.1.20 pi-1.local\nedgeshard cert issue coordinator\nedgeshard cert issue --renew pi-1 192.168.1.20",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if valid <= 0 {
				return usagef("--valid is %s: want above 0", valid)
			}
			if err := wire.Issue(dir, args[0], args[1:], valid, renew); err != nil {
				return err
			}
			a.printf("issued %s/%s.crt, valid until %s: copy it to the device with %s.key and ca.crt",
				dir, args[0], time.Now().Add(valid).Format(time.DateOnly), args[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", dir, "folder of the authority")
	cmd.Flags().DurationVar(&valid, "valid", valid, "how long it is valid")
	cmd.Flags().BoolVar(&renew, "renew", false, "replace the one there is; who uses it takes the new one up at the next connection")
	return cmd
}

func (a *app) certRevokeCmd() *cobra.Command {
	dir := certDir
	cmd := &cobra.Command{
		Use: "revoke NAME", Short: "Revoke all certificates of a name, of a device that was lost or stolen",
		Long: "Revoke all certificates of a name. The list, ca.crl, is to be copied beside ca.crt on every device; it counts from the next connection on.",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := wire.Revoke(dir, args[0])
			if err != nil {
				return err
			}
			a.printf("revoked %d certificates of %s: copy %s/ca.crl to every device, beside its ca.crt", n, args[0], dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", dir, "folder of the authority")
	return cmd
}

func (a *app) certListCmd() *cobra.Command {
	dir := certDir
	cmd := &cobra.Command{
		Use: "list", Short: "List the certificates that were issued", Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			all, err := wire.ListIssued(dir)
			if err != nil {
				return err
			}
			if a.format == "json" {
				return a.json(all)
			}
			var rows [][]string
			for _, i := range all {
				rows = append(rows, []string{i.Name, strings.Join(i.Hosts, " "), i.Expires.Format(time.DateOnly), i.State(time.Now()), i.Serial})
			}
			a.table([]string{"name", "hosts", "until", "state", "serial"}, rows)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", dir, "folder of the authority")
	return cmd
}

// credentialFlags name the certificate of a worker or a coordinator.
type credentialFlags struct {
	cert, key, ca string
	insecure      bool
}

func (c *credentialFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.cert, "cert", "", "certificate (edgeshard cert issue)")
	f.StringVar(&c.key, "key", "", "its key")
	f.StringVar(&c.ca, "ca", "", "the cluster's authority, ca.crt")
	f.BoolVar(&c.insecure, "insecure", false, "plaintext; on loopback addresses only")
}

// load returns the credentials, nil if none are named.
func (c *credentialFlags) load() (*wire.Credentials, error) {
	given := 0
	for _, f := range []string{c.cert, c.key, c.ca} {
		if f != "" {
			given++
		}
	}
	switch given {
	case 0:
		return nil, nil
	case 3:
		return wire.LoadCredentials(c.cert, c.key, c.ca)
	}
	return nil, usagef("want --cert, --key and --ca together")
}
