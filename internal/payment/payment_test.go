package payment_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// facts are the values of one payment, as its state's event carries them.
func facts(p *payment.Payment, c *contract.Contract, st *contract.State) map[string]string {
	out := map[string]string{}
	for _, f := range c.Facts {
		out[f.Name] = p.Fact(f, st).Text
	}
	return out
}

func drawn(t *rapid.T, c *contract.Contract) payment.Options {
	return payment.Options{
		Seed: rapid.Uint64().Draw(t, "seed"), Index: rapid.Uint64Range(0, 1e6).Draw(t, "index"),
		Start: c.Epoch.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "start")) * time.Second),
	}
}

func TestFormsOfFacts(t *testing.T) {
	c := pack(t)
	uuid := `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
	forms := map[string]string{
		"invoiceId": uuid, "transactionId": uuid, "partnerId": uuid,
		"customerId": `^c[0-9a-z]{24}$`,
		"detail":     `^[0-9a-f]{64}$`,
		"cashAmount": `^[1-9][0-9]{4,6}\.000000$`, "cryptoAmount": `^[1-9][0-9]*\.[0-9]{6}$`, "receivedAmount": `^[1-9][0-9]*\.[0-9]{6}$`,
		"timestamp": `^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$`,
		"blockNum":  `^7[5-9][0-9]{6}$`,
		"fee":       `^0$`, "idCode": `^1/0$`,
		"customerName": `^[^{}]{2,}$`, "title": `^[^{}]{2,}$`,
	}
	rapid.Check(t, func(t *rapid.T) {
		st := rapid.SampledFrom(c.States()).Draw(t, "state")
		got := facts(payment.New(c, drawn(t, c)), c, st)
		for name, form := range forms {
			if !regexp.MustCompile(form).MatchString(got[name]) {
				t.Errorf("%s is %q, not %s", name, got[name], form)
			}
		}
		for _, f := range c.Facts {
			if v := payment.New(c, drawn(t, c)).Fact(f, st); f.Scope != nil && len(f.Schema().Validate(v)) > 0 {
				t.Errorf("%s breaks its own schema: %s", f.Name, v.AppendCanonical(nil))
			}
		}
	})
}

// decode58 is base58 by arithmetic, another way than the generator's.
func decode58(s string) []byte {
	n := new(big.Int)
	for _, r := range s {
		digit := strings.IndexRune("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", r)
		if digit < 0 {
			return nil
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(digit)))
	}
	return n.Bytes()
}

func TestAddressesHaveTheirChecksum(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		p := payment.New(c, drawn(t, c))
		from, to := p.Fact(c.Fact("from"), c.States()[0]).Text, p.Fact(c.Fact("to"), c.States()[0]).Text
		if from == to {
			t.Error("sent to oneself")
		}
		for _, address := range []string{from, to} {
			raw := decode58(address)
			if len(address) != 34 || address[0] != 'T' || len(raw) != 25 || raw[0] != 0x41 {
				t.Fatalf("%s is no TRON address: % x", address, raw)
			}
			once := sha256.Sum256(raw[:21])
			twice := sha256.Sum256(once[:])
			if !bytes.Equal(twice[:4], raw[21:]) {
				t.Errorf("%s has a wrong checksum", address)
			}
		}
	})
}

func rat(t *rapid.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no number", s)
	}
	return r
}

func TestAmounts(t *testing.T) {
	c := pack(t)
	fail := c.Subject("invoice").State("fail")
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		paid := facts(payment.New(c, o), c, c.States()[0])
		cash := rat(t, paid["cashAmount"])
		if cash.Cmp(big.NewRat(10_000, 1)) < 0 || cash.Cmp(big.NewRat(1_000_000, 1)) > 0 {
			t.Errorf("cashAmount %s", paid["cashAmount"])
		}
		if want := new(big.Rat).Quo(cash, big.NewRat(1350, 1)).FloatString(6); paid["cryptoAmount"] != want {
			t.Errorf("%s / 1350 is %s, not %s", paid["cashAmount"], want, paid["cryptoAmount"])
		}
		if paid["receivedAmount"] != paid["cryptoAmount"] {
			t.Errorf("received %s of %s", paid["receivedAmount"], paid["cryptoAmount"])
		}
		o.Toward = []*contract.State{fail}
		short := facts(payment.New(c, o), c, fail)
		part := new(big.Rat).Quo(rat(t, short["receivedAmount"]), rat(t, short["cryptoAmount"]))
		if part.Cmp(big.NewRat(49, 100)) < 0 || part.Cmp(big.NewRat(99, 100)) > 0 {
			t.Errorf("a mismatch of %s for %s", short["receivedAmount"], short["cryptoAmount"])
		}
		delete(paid, "receivedAmount")
		delete(short, "receivedAmount")
		for _, ofEvent := range []string{"event", "timestamp", "state", "previousState", "updatedAt", "reason", "blockConfirmations", "balance"} {
			delete(paid, ofEvent)
			delete(short, ofEvent)
		}
		if diff := cmp.Diff(paid, short); diff != "" {
			t.Errorf("the outcome changes more than the amount: %s", diff)
		}
	})
}

func at(t *rapid.T, s string) time.Time {
	x, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTimes(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		start := o.Start
		for _, st := range c.States() {
			got := facts(payment.New(c, o), c, st)
			stamp := at(t, got["timestamp"])
			if !at(t, got["createdAt"]).Equal(start) || stamp.Before(start) {
				t.Errorf("%s at %s, created at %s, the payment starts at %s", st, got["timestamp"], got["createdAt"], start)
			}
			same := map[string]string{
				"invoice complete": "completedAt", "invoice cancel": "expiredAt", "transaction complete": "finalizedAt", "transaction created": "transactionCreatedAt",
			}[st.String()]
			if same != "" && got[same] != got["timestamp"] {
				t.Errorf("%s: %s is %s, the event says %s", st, same, got[same], got["timestamp"])
			}
			if st.String() == "transaction created" && got["updatedAt"] != got["timestamp"] {
				t.Errorf("%s: updated at %s, not %s", st, got["updatedAt"], got["timestamp"])
			}
			late := stamp.Sub(start) - 30*time.Minute
			if st.String() == "invoice cancel" && (late < 0 || late > time.Minute) {
				t.Errorf("expired %s after it was created", stamp.Sub(start))
			}
		}
	})
}

// TestFactsDoNotDependOnTheOrderOfAsking asks one payment in two orders.
func TestFactsDoNotDependOnTheOrderOfAsking(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		o.Toward = rapid.SliceOfN(rapid.SampledFrom(c.States()), 0, 2).Draw(t, "toward")
		type asked struct {
			f  *contract.Fact
			st *contract.State
		}
		var all []asked
		for _, st := range c.States() {
			for _, f := range c.Facts {
				all = append(all, asked{f, st})
			}
		}
		first := map[asked]string{}
		p := payment.New(c, o)
		for _, x := range all {
			first[x] = p.Fact(x.f, x.st).Text
		}
		r := rand.New(rand.NewPCG(o.Seed, 1))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		q := payment.New(c, o)
		for _, x := range all[:len(all)/2] {
			if got := q.Fact(x.f, x.st).Text; got != first[x] {
				t.Fatalf("%s in %s is %q, and was %q", x.f.Name, x.st, got, first[x])
			}
		}
	})
}

// TestSeedIsAPromise pins a payment: a seed in someone's script gives the same
// payment in every version.
func TestSeedIsAPromise(t *testing.T) {
	c := pack(t)
	p := payment.New(c, payment.Options{Seed: 7, Index: 1, Start: c.Epoch})
	for name, want := range map[string]string{
		"blockNum":     "78417506",
		"cashAmount":   "630000.000000",
		"cryptoAmount": "466.666667",
		"customerId":   "cb0qp4o2binbczxg092kxfmeh",
		"customerName": "최수아",
		"detail":       "d87b5f9c704f2da979fd453b3a430feb9426a3e82735d79ff363efdd83e70544",
		"from":         "TTbBfGaR3GKijf7QfL4b3nmJ68oAjntFBS",
		"invoiceId":    "09bee64b-8fd4-4004-bc85-bdcba4db8fd7",
		"title":        "USDT 63만원 구매",
	} {
		if got := p.Fact(c.Fact(name), c.States()[0]).Text; got != want {
			t.Errorf("%q: %q,", name, got)
		}
	}
}

func TestPaymentsDiffer(t *testing.T) {
	c := pack(t)
	seen := map[string]bool{}
	for seed := range uint64(20) {
		for index := range uint64(20) {
			p := payment.New(c, payment.Options{Seed: seed, Index: index, Start: c.Epoch})
			seen[p.Fact(c.Fact("invoiceId"), c.States()[0]).Text] = true
		}
	}
	if len(seen) != 400 {
		t.Errorf("400 payments have %d ids", len(seen))
	}
}

func TestGivenFactsReachDerivedOnes(t *testing.T) {
	c := pack(t)
	st := c.Subject("invoice").State("complete")
	given := func(pairs ...string) map[string]string {
		o := payment.Options{Seed: 3, Start: c.Epoch, Facts: map[*contract.Fact]jsondoc.Value{}}
		for _, x := range pairs {
			name, typed, _ := strings.Cut(x, "=")
			v, err := payment.FactValue(c.Fact(name), typed)
			if err != nil {
				t.Fatal(err)
			}
			o.Facts[c.Fact(name)] = v
		}
		return facts(payment.New(c, o), c, st)
	}
	got := given("cashAmount=270000")
	if got["cashAmount"] != "270000.000000" || got["cryptoAmount"] != "200.000000" || got["receivedAmount"] != "200.000000" {
		t.Errorf("cash %s, crypto %s, received %s", got["cashAmount"], got["cryptoAmount"], got["receivedAmount"])
	}
	if !strings.Contains(got["title"], "27만") && !strings.Contains(got["title"], "270000 KRW") {
		t.Errorf("the title is %q", got["title"])
	}
	got = given("cryptoAmount=1.5", "cashAmount=1")
	if got["cryptoAmount"] != "1.500000" || got["receivedAmount"] != "1.500000" || got["cashAmount"] != "1.000000" {
		t.Errorf("cash %s, crypto %s, received %s", got["cashAmount"], got["cryptoAmount"], got["receivedAmount"])
	}
	if got = given("receivedAmount=0"); got["receivedAmount"] != "0.000000" || got["cryptoAmount"] == "0.000000" {
		t.Errorf("crypto %s, received %s", got["cryptoAmount"], got["receivedAmount"])
	}
}

// TestMismatchOfSmallAmounts takes amounts of which no part can be taken.
func TestMismatchOfSmallAmounts(t *testing.T) {
	c := pack(t)
	fail := c.Subject("invoice").State("fail")
	for _, amount := range []string{"0", "0.000001", "0.000002", "1"} {
		for seed := range uint64(50) {
			v, err := payment.FactValue(c.Fact("cryptoAmount"), amount)
			if err != nil {
				t.Fatal(err)
			}
			p := payment.New(c, payment.Options{
				Seed: seed, Start: c.Epoch, Toward: []*contract.State{fail},
				Facts: map[*contract.Fact]jsondoc.Value{c.Fact("cryptoAmount"): v},
			})
			if got := p.Fact(c.Fact("receivedAmount"), fail); payment.Equal(c.Fact("receivedAmount"), got, v) {
				t.Fatalf("received %s of %s", got.Text, v.Text)
			}
		}
	}
}

func TestNoMismatchForAnotherReason(t *testing.T) {
	c := pack(t)
	fail := c.Subject("invoice").State("fail")
	p := payment.New(c, payment.Options{
		Start: c.Epoch, Toward: []*contract.State{fail},
		Facts: map[*contract.Fact]jsondoc.Value{c.Fact("reason"): jsondoc.StringValue("transaction_failed")},
	})
	if a, b := p.Fact(c.Fact("receivedAmount"), fail).Text, p.Fact(c.Fact("cryptoAmount"), fail).Text; a != b {
		t.Errorf("received %s of %s", a, b)
	}
}

func TestFactValue(t *testing.T) {
	c := pack(t)
	for _, x := range []struct{ fact, typed, want string }{
		{"cashAmount", "5", `"5.000000"`},
		{"cashAmount", "5.1234567", ""},
		{"cashAmount", "1e5", ""},
		{"cashAmount", "-5", ""},
		{"cashAmount", "", ""},
		{"cashAmount", "05", `"5.000000"`},
		{"cashAmount", "1,000", ""},
		{"fee", "0.5", `"0.5"`},
		{"cashAssetId", "2", "2"},
		{"cashAssetId", "two", ""},
		{"cashAssetId", "-1", ""},
		{"cashAssetId", "1.5", ""},
		{"memo", "null", `"null"`},
		{"customerName", "Zoë \"Z\"", `"Zoë \"Z\""`},
		{"customerName", "", `""`},
		{"customerId", "", ""},
		{"invoiceId", "7", ""},
		{"from", "TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr", `"TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr"`},
		{"from", "TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBs", ""},
		{"createdAt", "2025-01-01T00:00:00.000Z", `"2025-01-01T00:00:00.000Z"`},
		{"createdAt", "2025-01-01", ""},
	} {
		v, err := payment.FactValue(c.Fact(x.fact), x.typed)
		if err == nil && string(v.AppendCanonical(nil)) != x.want || (err != nil) != (x.want == "") {
			t.Errorf("%s=%s is %s, %v; want %s", x.fact, x.typed, v.AppendCanonical(nil), err, x.want)
		}
		if err != nil && (!strings.Contains(err.Error(), x.fact) || !strings.Contains(err.Error(), strconv.Quote(x.typed))) {
			t.Errorf("%s=%s: %v", x.fact, x.typed, err)
		}
	}
}

func TestEqual(t *testing.T) {
	c := pack(t)
	text := jsondoc.StringValue
	for _, x := range []struct {
		fact string
		a, b jsondoc.Value
		want bool
	}{
		{"cashAmount", text("5"), text("5.000000"), true},
		{"cashAmount", text("0"), text("0.0"), true},
		{"cashAmount", text("5"), text("5.000001"), false},
		{"cashAmount", text("10000000000000000000000.000001"), text("10000000000000000000000"), false},
		{"cashAmount", text("1e1"), text("10"), false},
		{"cashAmount", text("1e1"), text("1e1"), true},
		{"cashAmount", text(strings.Repeat("9", 200)), text(strings.Repeat("9", 200) + ".0"), false},
		{"cashAmount", text("5"), jsondoc.Value{Kind: jsondoc.Number, Text: "5"}, false},
		{"createdAt", text("2025-01-01T00:00:00.000Z"), text("2025-01-01T00:00:00Z"), true},
		{"createdAt", text("2025-01-01T00:00:00.000Z"), text("2025-01-01T09:00:00+09:00"), true},
		{"createdAt", text("2025-01-01T00:00:00.000Z"), text("2025-01-01T00:00:00.001Z"), false},
		{"createdAt", text("2024-12-31T23:59:60Z"), text("2025-01-01T00:00:00Z"), true},
		{"createdAt", text("soon"), text("soon"), true},
		{"customerName", text("5"), text("5.0"), false},
		{"blockNum", jsondoc.Value{Kind: jsondoc.Number, Text: "7"}, jsondoc.Value{Kind: jsondoc.Number, Text: "7.0"}, true},
		{"blockNum", jsondoc.Value{Kind: jsondoc.Number, Text: "7"}, jsondoc.Value{Kind: jsondoc.Number, Text: "8"}, false},
		{"memo", jsondoc.NullValue(), text(""), false},
		{"memo", jsondoc.NullValue(), jsondoc.NullValue(), true},
	} {
		if got := payment.Equal(c.Fact(x.fact), x.a, x.b); got != x.want || got != payment.Equal(c.Fact(x.fact), x.b, x.a) {
			t.Errorf("%s: %v and %v equal: %v", x.fact, x.a, x.b, got)
		}
	}
}

func TestBefore(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want bool
	}{
		{"2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.001Z", true},
		{"2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z", false},
		{"2025-01-01T00:00:00.001Z", "2025-01-01T00:00:00.000Z", false},
		{"2025-01-01T08:00:00+09:00", "2025-01-01T00:00:00Z", true},
		{"2024-12-31T23:59:60Z", "2025-01-01T00:00:00.5Z", true},
		{"2024-12-31T23:59:59.5Z", "2024-12-31T23:59:60Z", true},
		{"", "2025-01-01T00:00:00.000Z", false},
		{"2025", "2026", false},
	} {
		if got := payment.Before(jsondoc.StringValue(x.a), jsondoc.StringValue(x.b)); got != x.want {
			t.Errorf("%s before %s: %v", x.a, x.b, got)
		}
	}
}
