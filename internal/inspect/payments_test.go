package inspect

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// account asks for the payment of an invoice that a record is about.
func (s *scene) account(r journal.Record) paymentJSON {
	s.Helper()
	return read[paymentJSON](s, "api/payments?subject=invoice&id="+url.QueryEscape(r.ID))
}

// told is what is told of each subject of a payment, without its picture.
func (p paymentJSON) told(t *testing.T) []string {
	t.Helper()
	var out []string
	for n, m := range p.Subjects {
		wellFormed(t, m.SVG)
		illegal := ""
		for _, x := range m.Illegal {
			illegal += fmt.Sprintf(" %d:%s→%s:%s", x.N, x.From, x.To, x.Code)
		}
		points := ""
		for _, x := range p.Lanes[n].Points {
			points += fmt.Sprintf(" %d:%s:%s", x.N, x.Label, x.Verdict)
		}
		out = append(out, fmt.Sprintf("%s %v %v taken %v illegal%s points%s", m.Subject, m.Current, m.Deliveries, m.Taken, illegal, points))
	}
	return out
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the picture is not well-formed: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "style" || e.Name.Local == "foreignObject") {
			t.Errorf("the picture holds a %s", e.Name.Local)
		}
	}
}

func (p paymentJSON) fact(name string) *knownFactJSON {
	i := slices.IndexFunc(p.Facts, func(f knownFactJSON) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Facts[i]
}

func TestPayment(t *testing.T) {
	for _, test := range []struct {
		name string
		play func(s *scene) journal.Record
		want []string
	}{
		{"paid", func(s *scene) journal.Record {
			s.paid(0)
			return s.receive("invoice", "complete", "complete", 0)
		}, []string{
			"invoice [Complete] [2 4 5] taken [1 5] illegal points 2:Pending:ok 4:Complete:ok 5:Complete:duplicate",
			"transaction [Complete] [1 3] taken [0 1] illegal points 1:Pending:ok 3:Complete:ok",
		}},
		{"on its way", func(s *scene) journal.Record {
			return s.receive("invoice", "pending", "complete", 0)
		}, []string{
			"invoice [Pending] [1] taken [1] illegal points 1:Pending:ok",
			"transaction [] [] taken [] illegal points",
		}},
		{"the end first", func(s *scene) journal.Record {
			r := s.receive("invoice", "complete", "complete", 0)
			s.receive("invoice", "pending", "complete", 0)
			return r
		}, []string{
			"invoice [Complete] [1 2] taken [1 5] illegal points 1:Complete:note 2:Pending:note",
			"transaction [] [] taken [] illegal points",
		}},
		{"an edge that is none", func(s *scene) journal.Record {
			s.receive("invoice", "pending", "complete", 0)
			return s.receive("invoice", "complete", "complete", 0, `"Pending"`, `"Cancel"`)
		}, []string{
			"invoice [Pending] [1 2] taken [1] illegal 2:Cancel→Complete:illegal-transition points 1:Pending:ok 2:Complete:violation",
			"transaction [] [] taken [] illegal points",
		}},
		{"a state that no event reports", func(s *scene) journal.Record {
			r := s.receive("invoice", "pending", "complete", 0)
			s.receive("invoice", "pending", "complete", 0, `"state":"Pending"`, `"state":"Ready"`)
			return r
		}, []string{
			"invoice [Pending] [1 2] taken [1] illegal 2:→Ready:illegal-transition points 1:Pending:ok 2:Ready:violation",
			"transaction [] [] taken [] illegal points",
		}},
		{"broken in another way", func(s *scene) journal.Record {
			return s.receive("invoice", "pending", "complete", 0, `"customerName"`, `"customer"`)
		}, []string{
			"invoice [] [1] taken [] illegal points 1:Pending:violation",
			"transaction [] [] taken [] illegal points",
		}},
		{"sent and taken, sent and refused", func(s *scene) journal.Record {
			r := s.judged(s.body("invoice", "pending", "complete", 0), "")
			s.Add(journal.Record{Direction: journal.Sent, Body: r.Body, OK: true})
			s.Add(journal.Record{Direction: journal.Sent, Body: s.body("invoice", "complete", "complete", 0), OK: false})
			return r
		}, []string{
			"invoice [Pending] [1 2] taken [1] illegal points 1:Pending:ok 2:Complete:violation",
			"transaction [] [] taken [] illegal points",
		}},
		{"sent against what was sent before", func(s *scene) journal.Record {
			r := s.judged(s.body("invoice", "cancel", "cancel", 0), "")
			s.Add(journal.Record{Direction: journal.Sent, Body: r.Body, OK: true})
			complete := s.body("invoice", "complete", "complete", 0)
			s.Add(journal.Record{Direction: journal.Sent, Body: complete, OK: true})
			return r
		}, []string{
			"invoice [Cancel] [1 2] taken [3] illegal 2:Pending→Complete:contradictory-transition points 1:Cancel:ok 2:Complete:ok",
			"transaction [] [] taken [] illegal points",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.paid(9) // of somebody else
			for range 4 {
				s.store.forget()
			}
			s.store.seen = counts{First: 1, Live: true}
			if diff := cmp.Diff(test.want, s.account(test.play(s)).told(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPaymentByAnyParty(t *testing.T) {
	s := newScene(t)
	s.paid(0)
	s.paid(1)
	parties := read[detailJSON](s, "api/deliveries/2").Parties
	want := read[paymentJSON](s, "api/payments?subject="+parties[0].Subject+"&id="+parties[0].ID)
	got := read[paymentJSON](s, "api/payments?subject="+parties[1].Subject+"&id="+parties[1].ID)
	if diff := cmp.Diff(want.told(t), got.told(t)); diff != "" || got.Subject != "transaction" || got.ID != parties[1].ID {
		t.Error(got.Subject, got.ID, diff)
	}
	upper := read[paymentJSON](s, "api/payments?subject=INVOICE&id="+strings.ToUpper(parties[0].ID))
	if diff := cmp.Diff(want, upper); diff != "" {
		t.Errorf("the same in upper case: %s", diff)
	}
	for _, query := range []string{"", "subject=invoice", "subject=invoice&id=", "subject=parcel&id=" + parties[0].ID, "subject=transaction&id=" + parties[0].ID, "subject=invoice&id=x"} {
		if w := s.ask(http.MethodGet, "api/payments?"+query); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

// TestPaymentFacts: each fact has its first sound value, where that was told, and
// where it was told otherwise.
func TestPaymentFacts(t *testing.T) {
	s := newScene(t)
	r := s.receive("invoice", "pending", "complete", 0)
	s.receive("invoice", "complete", "complete", 0)
	title := s.account(r).fact("title")
	if title == nil || title.N != 1 || title.Scope != "invoice" || title.ID != r.ID || title.Pointer != "/data/title" || title.State != "Pending" || len(title.Drift) != 0 || title.Meaning == "" || title.Source == "" {
		t.Fatalf("%+v", title)
	}
	s.receive("invoice", "complete", "complete", 0, title.Value, "<img src=x>")
	drifted := s.account(r).fact("title")
	if diff := cmp.Diff([]driftJSON{{3, "<img src=x>", "/data/title"}}, drifted.Drift); diff != "" || drifted.Value != title.Value {
		t.Errorf("%+v", drifted)
	}
	amount := s.account(r).fact("cashAmount")
	s.receive("invoice", "complete", "complete", 0, amount.Value, amount.Value+"000")
	if got := s.account(r).fact("cashAmount"); len(got.Drift) != 0 {
		t.Errorf("the same amount in another spelling drifts: %+v", got)
	}
	if got := s.account(r).fact("timestamp"); got != nil {
		t.Errorf("a fact of one event is told of the payment: %+v", got)
	}
}

// TestPaymentFactsOfBrokenOnes: a delivery that breaks the contract does not make
// the sound ones drift, even if it came first.
func TestPaymentFactsOfBrokenOnes(t *testing.T) {
	s := newScene(t)
	title := string(s.body("invoice", "pending", "complete", 0))
	_, title, _ = strings.Cut(title, `"title":"`)
	title, _, _ = strings.Cut(title, `"`)
	s.receive("invoice", "pending", "complete", 0, title, "wrong", `"Ready"`, `"Cancel"`)
	r := s.receive("invoice", "pending", "complete", 0)
	got := s.account(r).fact("title")
	if diff := cmp.Diff([]driftJSON{{1, "wrong", "/data/title"}}, got.Drift); diff != "" || got.Value != title || got.N != 2 {
		t.Errorf("%+v", got)
	}
}

func TestPaymentIsBounded(t *testing.T) {
	s := newScene(t)
	var r journal.Record
	for range maxTold + 5 {
		r = s.receive("invoice", "pending", "complete", 0, `"Ready"`, `"Cancel"`)
	}
	got := s.account(r)
	if n := len(got.Subjects[0].Deliveries); got.Omitted != 5 || n != maxTold || got.Subjects[0].Deliveries[0] != 6 {
		t.Errorf("%d are told, %d omitted", n, got.Omitted)
	}
	s = newScene(t)
	r = s.receive("invoice", "pending", "complete", 0)
	for n := range 60 {
		s.receive("invoice", "pending", "complete", 0, `"Ready"`, fmt.Sprintf(`"From %d"`, n), `"title":"`, fmt.Sprintf(`"title":"%d`, n))
	}
	got = s.account(r)
	if n := len(got.fact("title").Drift); n != maxDrift || len(got.Subjects[0].Illegal) != 60 {
		t.Errorf("%d other titles, %d illegal attempts", n, len(got.Subjects[0].Illegal))
	}
	if n := strings.Count(got.Subjects[0].SVG, "From "); n > 2*maxAttempts {
		t.Errorf("%d attempts are drawn", n)
	}
	s = newScene(t)
	own := s.receive("invoice", "pending", "complete", 0)
	id := read[detailJSON](s, "api/deliveries/1").Parties[1].ID
	for n := range 100 {
		s.receive("invoice", "pending", "complete", 0, id, fmt.Sprintf("made-up-%d", n))
	}
	if n := len(s.account(own).Subjects); n != maxRelated {
		t.Errorf("a payment of %d", n)
	}
}

// TestPaymentsAreForgotten: of what is not kept nothing is remembered.
func TestPaymentsAreForgotten(t *testing.T) {
	s := newScene(t, func(o *Options) { o.MaxRecords = 8 })
	first := s.receive("invoice", "pending", "complete", 0)
	if s.account(first).ID != first.ID {
		t.Error("it is not known")
	}
	for n := range uint64(20) {
		s.paid(n + 1)
		read[overviewJSON](s, "api/overview")
		if most := 16; len(s.digest.parties) > 2*most {
			t.Fatalf("%d parties are remembered of 8 records", len(s.digest.parties))
		}
	}
	if w := s.ask(http.MethodGet, "api/payments?subject=invoice&id="+first.ID); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestIllegalIsWhatTheGraphSays(t *testing.T) {
	for code, want := range map[verify.Code]bool{
		verify.SelfTransition: true, verify.IllegalTransition: true, verify.Contradiction: true, verify.ExcludedState: true,
		verify.UnknownState: false, verify.FactDrift: false, verify.Late: false,
	} {
		if got := illegal(verify.Verdict{Findings: []verify.Finding{{Code: verify.Gap}, {Code: code}}}) != nil; got != want {
			t.Errorf("%s: %t", code, got)
		}
	}
}
