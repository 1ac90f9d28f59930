package listen_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/listen"
)

// known is a delivery as TestAttempts remembers it.
type known struct {
	body  string
	n     int
	taken bool
	ended time.Time
}

// TestAttempts holds what is remembered of attempts against a plain list.
func TestAttempts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		a := listen.NewAttempts(limit)
		now := time.Unix(1e9, 0)
		var all []known // the newest last
		lost := false
		type open struct {
			body string
			n    int
			end  func(time.Time, bool)
		}
		var under []open
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "seconds")) * time.Second) },
			"begin": func(t *rapid.T) {
				body := strconv.Itoa(rapid.IntRange(0, 7).Draw(t, "body"))
				giveUp := now.Add(5 * time.Second)
				n, retry, first, waited, end := a.Begin([]byte(body), now, giveUp)
				i := slices.IndexFunc(all, func(k known) bool { return k.body == body })
				k, wantFirst := known{body: body}, lost
				if i >= 0 {
					k, wantFirst = all[i], false
					all = slices.Delete(all, i, i+1)
				} else if len(all) == limit {
					lost = lost || !all[0].taken
					all = all[1:]
				}
				wantRetry := k.n > 0 && !k.taken && !now.Before(k.ended)
				if n != k.n+1 || retry != wantRetry || retry && waited != now.Sub(k.ended) || first != (wantFirst || wantRetry) {
					t.Fatalf("%s: attempt %d, retry %v after %s, first %v; it was %+v, and something lost is %v", body, n, retry, waited, first, k, lost)
				}
				k.n, k.ended = k.n+1, giveUp
				all = append(all, k)
				under = append(under, open{body, k.n, end})
			},
			"end": func(t *rapid.T) {
				if len(under) == 0 {
					return
				}
				i := rapid.IntRange(0, len(under)-1).Draw(t, "which")
				o, taken := under[i], rapid.Bool().Draw(t, "taken")
				under = slices.Delete(under, i, i+1)
				o.end(now, taken)
				if k := slices.IndexFunc(all, func(k known) bool { return k.body == o.body }); k >= 0 {
					all[k].taken = all[k].taken || taken
					if all[k].n == o.n && now.Before(all[k].ended) {
						all[k].ended = now
					}
				}
			},
		})
	})
}
