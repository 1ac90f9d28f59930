package listen

import (
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// attempts remembers when each delivery was tried, and whether it was taken. A
// delivery is known by its bytes: a retry repeats them. The one that was tried
// longest ago is forgotten first. What is kept holds no pointers, since there is
// much of it and the garbage collector would look at each.
type attempts struct {
	// named keeps what the deliveries were about, too.
	named bool

	mu     sync.Mutex
	seed   maphash.Seed
	limit  int
	start  time.Time        // what moments are counted from: that of the first attempt
	places map[uint64]int32 // by the hash of the bytes
	all    []attempt        // a list from the newest to the oldest
	abouts []about          // as all, when they are named
	newest int32
	oldest int32
	// lost is set when a delivery was forgotten that may be tried again.
	lost bool
}

type attempt struct {
	key   uint64
	ended time.Duration // when the sender knew, or will know, that the last one failed
	n     int32
	taken bool
	newer int32
	older int32
}

// about is what a delivery is about.
type about struct {
	state *contract.State // nil where it reports none
	id    string
}

// try is one attempt; the zero try is none that was counted.
type try struct {
	key   uint64
	place int32
	n     int // from 1
	// retry is set when the attempt before had failed and the sender knew so, which
	// is waited ago.
	retry  bool
	waited time.Duration
	// first is set when no attempt is known to have been taken.
	first bool
}

const nobody = int32(-1)

func newAttempts(limit int) *attempts {
	return &attempts{limit: limit, seed: maphash.MakeSeed(), places: map[uint64]int32{}, newest: nobody, oldest: nobody}
}

// begin counts an attempt at what was judged. It fails at the latest at giveUp,
// when the sender stops waiting.
func (a *attempts) begin(body []byte, v *verify.Verdict, now, giveUp time.Time) try {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.start.IsZero() {
		a.start = now
	}
	mine := try{key: maphash.Bytes(a.seed, body)}
	place, known := a.places[mine.key]
	if known {
		a.unlink(place)
	} else {
		mine.first = a.lost
		place = a.room()
		a.places[mine.key] = place
		a.all[place] = attempt{key: mine.key}
		if a.named {
			a.abouts[place] = about{v.State, v.ID}
		}
	}
	a.link(place)
	t := &a.all[place]
	at := now.Sub(a.start)
	mine.retry, mine.waited = t.n > 0 && !t.taken && at >= t.ended, at-t.ended
	mine.first = mine.first || mine.retry
	t.n, t.ended = t.n+1, giveUp.Sub(a.start)
	mine.place, mine.n = place, int(t.n)
	return mine
}

// end notes how an attempt ended.
func (a *attempts) end(mine try, at time.Time, taken bool) {
	if mine.n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	place := mine.place
	if a.all[place].key != mine.key {
		var known bool // it was forgotten, and maybe heard of again
		if place, known = a.places[mine.key]; !known {
			return
		}
	}
	t := &a.all[place]
	t.taken = t.taken || taken
	if int(t.n) == mine.n {
		t.ended = min(t.ended, at.Sub(a.start))
	}
}

// room returns a place for another delivery, that of the oldest where there are
// too many.
func (a *attempts) room() int32 {
	if len(a.all) < a.limit {
		a.all = append(a.all, attempt{})
		if a.named {
			a.abouts = append(a.abouts, about{})
		}
		return int32(len(a.all) - 1)
	}
	place := a.oldest
	a.unlink(place)
	t := &a.all[place]
	a.lost = a.lost || !t.taken
	delete(a.places, t.key)
	return place
}

func (a *attempts) link(place int32) {
	t := &a.all[place]
	t.newer, t.older = nobody, a.newest
	if a.newest == nobody {
		a.oldest = place
	} else {
		a.all[a.newest].newer = place
	}
	a.newest = place
}

func (a *attempts) unlink(place int32) {
	t := a.all[place]
	if t.newer == nobody {
		a.newest = t.older
	} else {
		a.all[t.newer].older = t.older
	}
	if t.older == nobody {
		a.oldest = t.newer
	} else {
		a.all[t.older].newer = t.newer
	}
}

// missed lists the deliveries that failed and, at that moment, should long have
// been tried again. They must be named.
func (a *attempts) missed(d contract.Delivery, now time.Time) []verify.Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []verify.Finding
	for place := a.oldest; place != nobody; place = a.all[place].newer {
		t := a.all[place]
		if t.taken || int(t.n) > len(d.Backoff) {
			continue
		}
		if wait := d.Backoff[t.n-1]; now.Sub(a.start)-t.ended > latest(wait) {
			out = append(out, verify.Finding{
				Code: verify.RetryMissed, Severity: verify.Warning, Source: d.Source,
				Message: fmt.Sprintf("%s failed in attempt %d and was not tried again: a retry was due after %s", a.abouts[place], t.n, wait),
			})
		}
	}
	return out
}

// String says in words what was tried.
func (a about) String() string {
	if a.state == nil {
		return "a delivery"
	}
	return fmt.Sprintf("%s %.13s", a.state, a.id)
}
