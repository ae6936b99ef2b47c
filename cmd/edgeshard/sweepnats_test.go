package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// refused holds that nothing goes without one of the flags of access.
func (l *lab) refused(access []string, without, want string) {
	l.Helper()
	args := []string{"edgeshard", "sweep", "work"}
	for i := 0; i < len(access); i += 2 {
		if access[i] != without && (without != "--nats-cert" || access[i] != "--nats-key") {
			args = append(args, access[i], access[i+1])
		}
	}
	out, err := l.run(args...)
	if err == nil || !strings.Contains(out, want) || strings.Count(out, "\n") != 1 {
		l.Errorf("without %s: %v, %q: want one line with %q", without, err, out, want)
	}
}

// natsConfig writes a server's configuration: its port, mutual TLS, accounts by
// JWT, and the credentials of a user.
func (l *lab) natsConfig(port string) {
	l.Helper()
	if data, err := os.ReadFile(filepath.Join(l.dir, "nats.conf")); err == nil { // the same keys, another port
		l.write("nats.conf", strings.Replace(string(data), "port: -1", "port: "+port, 1))
		return
	}
	operator, system := l.key(nkeys.CreateOperator), l.key(nkeys.CreateAccount)
	account, user := l.key(nkeys.CreateAccount), l.key(nkeys.CreateUser)
	a := jwt.NewAccountClaims(account.id)
	a.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	u := jwt.NewUserClaims(user.id)
	u.IssuerAccount = account.id
	creds, err := jwt.FormatUserConfig(l.encode(u, account), user.seed)
	if err != nil {
		l.Fatal(err)
	}
	l.write("user.creds", string(creds))
	l.write("nats.conf", fmt.Sprintf(`host: 127.0.0.1
port: %s
operator: %s
resolver: MEMORY
system_account: %s
resolver_preload: {%s: %s, %s: %s}
jetstream {store_dir: "store"}
tls {cert_file: "edgeshard-certs/server.crt", key_file: "edgeshard-certs/server.key", ca_file: "edgeshard-certs/ca.crt", verify: true, timeout: 30}
`, port, l.encode(jwt.NewOperatorClaims(operator.id), operator), system.id,
		system.id, l.encode(jwt.NewAccountClaims(system.id), operator), account.id, l.encode(a, operator)))
}

type nkey struct {
	nkeys.KeyPair
	id   string
	seed []byte
}

func (l *lab) key(create func() (nkeys.KeyPair, error)) nkey {
	l.Helper()
	pair, err := create()
	if err != nil {
		l.Fatal(err)
	}
	id, err := pair.PublicKey()
	if err != nil {
		l.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		l.Fatal(err)
	}
	return nkey{pair, id, seed}
}

func (l *lab) encode(c jwt.Claims, by nkey) string {
	l.Helper()
	text, err := c.Encode(by)
	if err != nil {
		l.Fatal(err)
	}
	return text
}
