package main

import (
	"github.com/spf13/cobra"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// certDir is where certificates are made and looked for unless told otherwise.
const certDir = "edgeshard-certs"

func (a *app) certCmd() *cobra.Command {
	return group("cert", "Make the certificates of a cluster", a.certInitCmd(), a.certIssueCmd())
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
	dir := certDir
	cmd := &cobra.Command{
		Use: "issue NAME [HOST...]", Short: "Issue a certificate to a device, or to the coordinator",
		Example: "edgeshard cert issue pi-1 192.168.1.20 pi-1.local\nedgeshard cert issue coordinator",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := wire.Issue(dir, args[0], args[1:]); err != nil {
				return err
			}
			a.printf("issued %s/%s.crt: copy it to the device with %s.key and ca.crt", dir, args[0], args[0])
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
