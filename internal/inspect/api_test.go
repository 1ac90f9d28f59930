package inspect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

func TestContract(t *testing.T) {
	s := newScene(t, func(o *Options) {
		o.Version, o.Target, o.MaxRecords, o.MaxBytes = "1.2.3", "http://127.0.0.1:8080/", 7, 1<<20
	})
	got := read[contractJSON](s, "api/contract")
	if got.Name != s.c.Name || got.Title != "a test" || !got.Live || got.Version != "1.2.3" || got.Target != "http://127.0.0.1:8080/" || got.EventPointer != "/event" || got.Kept != (keptJSON{7, 1 << 20}) {
		t.Errorf("%+v", got)
	}
	if len(got.Subjects) != 2 || len(got.Facts) != len(s.c.Facts) || len(got.Samples) != len(s.c.States()) {
		t.Fatalf("%d subjects, %d facts, %d samples", len(got.Subjects), len(got.Facts), len(got.Samples))
	}
	for i, sub := range s.c.Subjects {
		x := got.Subjects[i]
		if x.Name != sub.Name || x.Initial != sub.Initial.Label() || len(x.States) != len(sub.States) || len(x.Edges) != len(sub.Edges) {
			t.Errorf("%+v", x)
		}
		for n, e := range sub.Edges {
			if x.Edges[n].Index != n || x.Edges[n].From+"→"+x.Edges[n].To != e.String() || x.Edges[n].Trigger != e.Trigger || x.Edges[n].Source == "" {
				t.Errorf("edge %d is %+v, not %v", n, x.Edges[n], e)
			}
		}
	}
	for _, x := range got.Samples {
		if v := verify.Payload(s.c, []byte(x.Body), ""); v.State == nil || v.State.Name != x.State || !v.OK() {
			t.Errorf("the sample of %s %s is %v", x.Subject, x.State, v.Findings)
		}
	}
	s.End()
	if read[contractJSON](s, "api/contract").Live {
		t.Error("it is live when nothing more comes")
	}
}

func TestDelivery(t *testing.T) {
	s := newScene(t)
	r := s.receive("invoice", "fail", "fail", 0, `"Pending"`, `"Cancel"`, `"reason":`, `"<b>":"\u202e","reason":`)
	r.Headers = http.Header{"X-B": {"2", "1"}, "A": {"<script>"}}
	r.Signature, r.Forwarded, r.URL = "both", "http://127.0.0.1:8080/x", "http://127.0.0.1:3000/x"
	s.Add(r)
	got := read[detailJSON](s, "api/deliveries/2")
	if got.Row.N != 2 || got.Row.Verdict != "violation" || got.Method != "POST" || got.Body != string(r.Body) || got.BodyBase64 != "" || got.Size != len(r.Body) {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([][2]string{{"A", "<script>"}, {"X-B", "2"}, {"X-B", "1"}}, got.Headers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(r.Findings, got.Findings); diff != "" || len(got.Findings) != 2 {
		t.Errorf("%s %v", diff, got.Findings)
	}
	if got.Answer != (answerJSON{409, `{"status":"ok"}`}) || got.Signature != "both" || got.Forwarded != r.Forwarded || got.URL != r.URL || got.Resendable {
		t.Errorf("%+v", got)
	}
	if len(got.Parties) != 2 || got.Parties[0].Subject != "invoice" || got.Parties[1].Subject != "transaction" {
		t.Errorf("it is about %v", got.Parties)
	}
	at := slices.IndexFunc(got.Fields, func(f fieldJSON) bool { return f.Pointer == "/data/transaction/expectedAmount" })
	if at < 0 || got.Fields[at].Fact != "cryptoAmount" || got.Fields[at].Meaning == "" || got.Fields[at].Source == "" {
		t.Errorf("what stands where: %v", got.Fields)
	}
	if got.Sample == nil || got.Sample.State != "fail" || got.Sample.Subject != "invoice" {
		t.Errorf("it is compared with %+v", got.Sample)
	}
	var fixture, body any
	if json.Unmarshal([]byte(got.Fixture), &fixture) != nil || json.Unmarshal(r.Body, &body) != nil || cmp.Diff(body, fixture) != "" || !strings.HasSuffix(got.Fixture, "\n}\n") {
		t.Errorf("the fixture is %q", got.Fixture)
	}
}

func TestDeliveryOfNothing(t *testing.T) {
	s := newScene(t)
	for _, body := range []string{"", "\xff\x00", "null", "[]", "{}", `{"event":1}`, `{"event":"nobody.knows"}`, `{"event":"invoice.updated"}`, `{"event":"invoice.updated","data":null}`, `{"event":"invoice.updated","data":{"invoiceId":7,"state":8}}`} {
		s.Add(s.judged([]byte(body), "/callback/update-invoice"))
		w := s.ask(http.MethodGet, fmt.Sprintf("api/deliveries/%d", s.store.seen.Total))
		var got detailJSON
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Size != len(body) || len(got.Parties) != 0 {
			t.Errorf("%q: %v %s", body, err, w.Body)
		}
		if raw, _ := base64.StdEncoding.DecodeString(got.BodyBase64); got.Body+string(raw) != body {
			t.Errorf("%q comes back as %q and %q", body, got.Body, raw)
		}
		for _, name := range []string{"headers", "findings", "parties", "fields"} {
			if strings.Contains(w.Body.String(), `"`+name+`":null`) {
				t.Errorf("%q: %s is no list", body, name)
			}
		}
	}
	for _, path := range []string{"0", "99", "-1", "x", "1.0", "99999999999999999999", "1/", "1/x"} {
		if w := s.ask(http.MethodGet, "api/deliveries/"+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestCommands runs what is offered for copying in a shell: what arrives is what
// came, byte for byte.
func TestCommands(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl here:", err)
	}
	type request struct {
		method, path, body string
		header             http.Header
	}
	came := make(chan request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- request{r.Method, r.URL.Path, string(body), r.Header}
	}))
	defer server.Close()
	s := newScene(t, func(o *Options) { o.Received = server.URL })
	for name, body := range map[string]string{
		"an event": string(s.body("invoice", "complete", "complete", 0)), "nothing": "", "a quote": `{"a":"it's $HOME ` + "`id`" + ` \\ !x"}`,
		"lines": "a\n\tb\n", "a file's name": "@/etc/hostname", "bytes": "\x00\xff\n", "an escape": "\x1b]0;x\x07", "options": "--help", "Korean": "김민수", "bidi": "a\u202eb", "a return": "a\r\nb",
	} {
		t.Run(name, func(t *testing.T) {
			s.Add(journal.Record{Method: "PUT", Path: "/callback/it's a path[1-3]", Body: []byte(body), Headers: http.Header{
				"X-Test": {"it's $(id)"}, "Authorization": {journal.Hidden}, "Host": {"evil.example"}, "Content-Length": {"1"}, "Transfer-Encoding": {"chunked"}, "X-Bad": {"a\x1bb"},
			}})
			got := read[detailJSON](s, fmt.Sprintf("api/deliveries/%d", s.store.seen.Total))
			if strings.ContainsFunc(got.Curl, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x202e }) {
				t.Errorf("a terminal obeys %q", got.Curl)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(got.Curl, "curl ", curl+" --silent --noproxy '*' ", 1))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", got.Curl, err, out)
			}
			r := <-came
			if r.method != "PUT" || r.path != "/callback/it's a path[1-3]" || r.body != body || r.header.Get("X-Test") != "it's $(id)" || r.header.Get("Authorization") != "" || r.header.Get("X-Bad") != "" {
				t.Errorf("%s\nsent %+v", got.Curl, r)
			}
		})
	}
}

func TestCommandsThatAreNone(t *testing.T) {
	s := newScene(t)
	for _, test := range []struct{ body, want string }{
		{"it's", `paytest send --to 'http://127.0.0.1:3000/x' --data 'it'\''s'`},
		{"", `paytest send --to 'http://127.0.0.1:3000/x' --data ''`},
		{"-", ""},
		{"@/etc/passwd", ""},
		{"\xff", ""},
		{"a\x1bb", ""},
		{"a\u202eb", ""},
		{strings.Repeat("x", maxArgument+1), ""},
	} {
		if got := s.command(&entry{Record: journal.Record{Path: "/x", Body: []byte(test.body)}}); got != test.want {
			t.Errorf("%.20q: %.100s, want %s", test.body, got, test.want)
		}
	}
	if got := s.curl(&entry{Record: journal.Record{Body: make([]byte, maxArgument+1)}}); got != "" {
		t.Errorf("a command of %d bytes", len(got))
	}
	for _, test := range []struct{ target, url, want string }{
		{"http://127.0.0.1:8080/", "", "http://127.0.0.1:8080/a%20b"},
		{"http://127.0.0.1:8080/hook", "", "http://127.0.0.1:8080/hook"},
		{"", "http://127.0.0.1:9/sent", "http://127.0.0.1:9/sent"},
		{"", "http://127.0.0.1:9/se\u202ent\n", "http://127.0.0.1:9/sent"},
		{"", "", "http://127.0.0.1:3000/a%20b"},
	} {
		s.o.Target = test.target
		if got := s.address(&entry{Record: journal.Record{Path: "/a b", URL: test.url}}); got != test.want {
			t.Errorf("%q %q: %s, want %s", test.target, test.url, got, test.want)
		}
	}
}

func TestResend(t *testing.T) {
	var mu sync.Mutex
	var sent []journal.Record
	failing := errors.New("no way")
	s := newScene(t, func(o *Options) {
		o.Target = "http://127.0.0.1:8080/"
		o.Resend = func(_ context.Context, r journal.Record) (journal.Record, error) {
			mu.Lock()
			defer mu.Unlock()
			if sent = append(sent, r); len(sent) > 1 {
				return journal.Record{}, failing
			}
			return journal.Record{Time: time.Unix(1, 0), OK: true, Path: r.Path, Body: r.Body, Answer: journal.Answer{Status: 200}, Attempt: 1}, nil
		}
	})
	r := s.receive("invoice", "pending", "complete", 0)
	s.Add(journal.Record{Path: "/elsewhere", OK: true})
	own := []string{"Origin", "http://127.0.0.1:4040", "Sec-Fetch-Site", "same-origin"}
	w := s.ask(http.MethodPost, "api/deliveries/1/resend", own...)
	var got struct{ Row Row }
	if err := json.Unmarshal(w.Body.Bytes(), &got); w.Code != http.StatusOK || err != nil || got.Row.N != 3 || got.Row.Direction != journal.Sent || got.Row.To != "Pending" || got.Row.Verdict != "ok" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(sent) != 1 || string(sent[0].Body) != string(r.Body) {
		t.Errorf("sent were %v", sent)
	}
	if e := s.store.get(3); e == nil || e.Direction != journal.Sent {
		t.Error("what came back is not shown")
	}
	for _, test := range []struct {
		path   string
		header []string
		want   int
	}{
		{"1/resend", nil, 403},
		{"1/resend", []string{"Origin", "http://evil.example"}, 403},
		{"1/resend", []string{"Origin", "http://127.0.0.1:4040", "Sec-Fetch-Site", "same-site"}, 403},
		{"2/resend", own, 409},
		{"9/resend", own, 404},
		{"x/resend", own, 404},
	} {
		if w := s.ask(http.MethodPost, "api/deliveries/"+test.path, test.header...); w.Code != test.want || len(sent) != 1 {
			t.Errorf("%s %v: %d %s, sent were %d", test.path, test.header, w.Code, w.Body, len(sent))
		}
	}
	if read[detailJSON](s, "api/deliveries/2").Resendable || !read[detailJSON](s, "api/deliveries/1").Resendable {
		t.Error("what has no path of the contract can be sent again, or what has one cannot")
	}
	if w := s.ask(http.MethodPost, "api/deliveries/1/resend", own...); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "no way") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestResendToNowhere(t *testing.T) {
	own := []string{"Origin", "http://127.0.0.1:4040"}
	for name, change := range map[string]func(*Options){
		"neither": func(*Options) {}, "no target": func(o *Options) {
			o.Resend = func(context.Context, journal.Record) (journal.Record, error) { panic("sent") }
		}, "no way": func(o *Options) { o.Target = "http://127.0.0.1:8080/" },
	} {
		s := newScene(t, change)
		s.receive("invoice", "pending", "complete", 0)
		if w := s.ask(http.MethodPost, "api/deliveries/1/resend", own...); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "--forward-to") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestResendsAreBounded: who asks too fast is told to wait.
func TestResendsAreBounded(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := newScene(t, func(o *Options) {
		o.Target = "http://127.0.0.1:8080/"
		o.Resend = func(context.Context, journal.Record) (journal.Record, error) {
			entered <- struct{}{}
			<-release
			return journal.Record{OK: true}, nil
		}
	})
	s.receive("invoice", "pending", "complete", 0)
	var wg sync.WaitGroup
	for range maxResends {
		wg.Go(func() {
			if w := s.ask(http.MethodPost, "api/deliveries/1/resend", "Origin", "http://127.0.0.1:4040"); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
		<-entered
	}
	if w := s.ask(http.MethodPost, "api/deliveries/1/resend", "Origin", "http://127.0.0.1:4040"); w.Code != http.StatusTooManyRequests {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
	close(release)
	wg.Wait()
}
