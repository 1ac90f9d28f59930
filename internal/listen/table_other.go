//go:build !linux

package listen

// tables would answer the requests of many connections, as they do on Linux.
type tables struct{}

type table struct{}

func newTables(*front) *tables { return &tables{} }

// sit leaves all to the connection's own goroutine.
func (*tables) sit(*dialog) (n int, sat bool, err error) { return 0, false, nil }

func (*tables) hurry() {}

func (*table) hurry() {}
