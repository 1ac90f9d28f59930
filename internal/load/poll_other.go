//go:build !linux

package load

// pollers would carry the exchanges of connections, as they do on Linux.
type pollers struct{}

func newPollers(*engine) *pollers { return &pollers{} }

// carry leaves all to the worker.
func (*pollers) carry(*worker) bool { return true }

func (*pollers) stop() {}
