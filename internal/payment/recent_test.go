package payment_test

import (
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

func TestRecent(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	const age = 30 * time.Minute
	moments := payment.Recent(c, age)
	for i, a := range c.States() {
		if m := moments[a]; m >= age || m < age-5*time.Second {
			t.Errorf("%s happens after %s", a, m)
		}
		for _, b := range c.States()[i+1:] {
			if (a.At < b.At) != (moments[a] < moments[b]) && a.At != b.At || moments[a] == moments[b] {
				t.Errorf("%s and %s happen after %s and %s", a, b, moments[a], moments[b])
			}
		}
	}
}
