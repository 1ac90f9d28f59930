package merchant

import "time"

// Kept is how many things a merchant keeps of deliveries.
func Kept(m *Merchant) int {
	b := m.book
	return len(b.orders) + len(b.transfers) + len(b.claims) + len(b.accounts) + len(b.keys) + len(b.hashes)
}

// Slow is how long a slow bug keeps the sender waiting.
func Slow(m *Merchant) time.Duration { return m.Slow }
