package conform

import (
	"context"
	"fmt"
	"time"

	"github.com/paytest/paytest/internal/payment"
)

// watch is a payment that was credited once when its case looked.
type watch struct {
	o      *order
	effect Effect
	at     time.Time
}

// watch remembers a payment, to look again when all cases are over.
func (t *trial) watch(o *order, e Effect) {
	if e.shows() {
		t.s.watched = append(t.s.watched, watch{o, e, t.s.Now()})
	}
}

// recheck looks once more, when Settle is over, at the payments that were credited
// once: a case of which one has been credited again since then has failed.
func (s *session) recheck(ctx context.Context, r *Report) {
	if len(s.watched) == 0 {
		return
	}
	last := s.watched[len(s.watched)-1].at
	if s.Wait(ctx, max(0, last.Add(s.Settle).Sub(s.Now()))) != nil {
		return
	}
	for _, w := range s.watched {
		now, err := s.trial(ctx, w.o.t.spec).probe(w.o)
		if err != nil || !grown(w.effect.Credited, now.Credited) && !grown(w.effect.Deliveries, now.Deliveries) {
			continue
		}
		for i := range r.Results {
			if res := &r.Results[i]; res.Case == w.o.t.spec && res.Status != Failed {
				res.Status, res.Problem = Failed, w.o.t.mask(fmt.Sprintf("credited again after the case was over: then %s, now %s", w.effect, now))
				if s.OnResult != nil {
					s.OnResult(*res)
				}
			}
		}
	}
}

func grown(was, is *payment.Amount) bool {
	return was != nil && is != nil && is.Cmp(*was) > 0
}
