package main

import (
	"context"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	shop "github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

// shopSecret is what the shops of the scenarios share with their gateway.
const shopSecret = "the secret of the shop"

// cmdShop starts a model merchant's endpoint that checks signatures by the
// secret above, right or with one bug, and sets the variable NAME to its URL:
//
//	shop NAME [BUG]
//	shop NAME --contract DIR
func cmdShop(ts *testscript.TestScript, neg bool, args []string) {
	var pack fs.FS = payloads.FS
	if len(args) == 3 && args[1] == "--contract" {
		args, pack = args[:1], os.DirFS(ts.MkAbs(args[2]))
	}
	want(ts, !neg && (len(args) == 1 || len(args) == 2), "shop NAME [BUG | --contract DIR]")
	c, err := contract.Load(pack)
	ts.Check(err)
	secret, err := signature.NewSecret([]byte(shopSecret))
	ts.Check(err)
	o := shop.Options{Contract: c, Secrets: []signature.Secret{secret}, Now: time.Now, Wait: deliver.Sleep}
	if len(args) == 2 {
		o.Bug = args[1]
	}
	m, err := shop.New(o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, l) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-ended)
	})
	ts.Setenv(args[0], "http://"+l.Addr().String())
	ts.Setenv("PAYTEST_SECRET", shopSecret)
}
