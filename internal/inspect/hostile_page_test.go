package inspect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/paytest/paytest/internal/journal"
)

// attack is text that would do something anywhere but in a text.
const attack = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>"'></svg><svg onload=window.ran=1> ${window.ran=1} ` + "\u202e\u0000\u001b[31m\ufeff javascript:window.ran=1"

// hostile are bodies that somebody may send who wants to harm the reader.
func hostile(s *stage) map[string]string {
	_, good := s.body("invoice", "complete", "complete", 3)
	keys := map[string]any{}
	for i := range 10_000 {
		keys[fmt.Sprintf("key%05d", i)] = i
	}
	quoted, err := json.Marshal(attack)
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]string{
		"markup":      s.changed(good, map[string]any{"title": attack, attack: attack, "customerName": attack, "invoiceId": attack}),
		"event":       `{"event":` + string(quoted) + `,"data":{"state":` + string(quoted) + `}}`,
		"long string": s.changed(good, map[string]any{"title": strings.Repeat("가나다<b>", 70_000)}),
		"long word":   s.changed(good, map[string]any{"customerName": strings.Repeat("W", 900_000), "invoiceId": strings.Repeat("i", 5000)}),
		"long key":    s.changed(good, map[string]any{strings.Repeat("k", 300_000): make([]int, 20_000)}),
		"keys":        s.changed(good, keys),
		"numbers":     `{"event":"invoice.updated","data":[` + strings.Repeat("1,", 200_000) + `1]}`,
		"deep":        strings.Repeat(`{"a":[`, 400) + strings.Repeat(`]}`, 400),
		"zalgo":       s.changed(good, map[string]any{"title": "Z" + strings.Repeat("\u0335\u0489\u0310", 4000), "customerName": strings.Repeat("\u2066\u202e\u0627", 500)}),
		"bytes":       "\xff\xfe\x00\x01" + strings.Repeat("\x80\xfe", 100_000),
		"lines":       strings.Repeat("\n", 500_000),
		"nothing":     "",
	}
}

func testHostile(t *testing.T, p *tab) {
	s := newStage(t)
	path, _ := s.body("invoice", "complete", "complete", 3)
	bodies := hostile(s)
	var names []string
	for name, body := range bodies {
		s.deliver(path, body)
		names = append(names, name)
	}
	s.deliver("/"+strings.Repeat("long", 2000), "{}")
	names = append(names, "path")
	for _, l := range []look{wide(), {"narrow", 360, 740, true}} {
		p.as(l)
		p.visit(s, fmt.Sprint(len(names)))
		p.harmless("list " + l.name)
		for i, name := range names {
			eval[bool](p, fmt.Sprintf(`location.hash = '#/d/%d', true`, i+1))
			p.text("#panel-title", fmt.Sprintf("#%d ", i+1))
			p.harmless(name + " " + l.name)
			for _, part := range []string{"raw", "answer", "diff", "json"} {
				p.click("#tab-" + part)
				p.harmless(name + " " + part + " " + l.name)
			}
			p.shoot("hostile-" + strings.ReplaceAll(name, " ", "-") + "-" + l.name)
		}
		eval[bool](p, `location.hash = '#/overview', true`)
		p.text("#overview-title", "Overview")
		p.harmless("overview " + l.name)
	}
	p.as(wide())
	at := 0
	for i, name := range names {
		if name == "long word" {
			at = i + 1
		}
	}
	eval[bool](p, fmt.Sprintf(`location.hash = '#/d/%d', true`, at))
	p.text("#panel-title", fmt.Sprintf("#%d ", at))
	p.click("#tab-raw")
	p.text(".raw .more", "characters left")
	before := eval[int](p, `document.querySelector('.raw').textContent.length`)
	p.click(".raw .more")
	p.until(fmt.Sprintf(`document.querySelector('.raw').textContent.length > %d + 30000`, before))
}

// harmless looks at whether anything ran, came out of its place, or is too much
// for the browser.
func (p *tab) harmless(where string) {
	p.t.Helper()
	if eval[bool](p, `Boolean(window.ran)`) {
		p.t.Fatalf("%s: the payload ran", where)
	}
	if made := eval[string](p, `[...document.querySelectorAll('script, img, iframe, object, embed, style, [onerror], [onload], [href^="javascript"]')].map((e) => e.outerHTML).join()`); !strings.HasPrefix(made, `<script type="module"`) || strings.Count(made, "<") > 2 {
		p.t.Errorf("%s: the payload became elements: %.300s", where, made)
	}
	if n := eval[int](p, `document.querySelectorAll('*').length`); n > 6000 {
		p.t.Errorf("%s: the page has %d elements", where, n)
	}
	if n := eval[int](p, `document.body.textContent.length`); n > 250_000 {
		p.t.Errorf("%s: the page has %d characters", where, n)
	}
	if seen := eval[string](p, `document.body.textContent.match(/[\u202a-\u202e\u2066-\u2069\u0000\u001b]/)?.[0] ?? ''`); seen != "" {
		p.t.Errorf("%s: %+q is not escaped", where, seen)
	}
	if wide := eval[[]string](p, overflowing); len(wide) > 0 {
		p.t.Errorf("%s: wider than the page: %s", where, strings.Join(wide, "; "))
	}
}

func testMany(t *testing.T, p *tab) {
	const kept, more = 100_000, 500
	s := newStageOf(t, kept)
	start := s.c.Epoch
	for i := range kept + more {
		s.i.Add(journal.Record{
			Time: start.Add(time.Duration(i) * time.Millisecond), Direction: journal.Received, Method: "POST", Path: "/callback/update-invoice", OK: true,
			Event: "invoice.updated", Subject: "invoice", ID: fmt.Sprintf("id-%d", i+1), State: "Complete", PreviousState: "Pending", Answer: journal.Answer{Status: 200},
		})
	}
	p.as(wide())
	p.do(chromedp.Navigate(s.url))
	p.text("#shown", "100,000 of 100,000")
	p.text("#forgotten", "500 older deliveries are no longer kept")
	p.until(fmt.Sprintf(`[...document.querySelectorAll('.rows .row')].at(-1)?.n === %d`, kept+more))
	few := func(where string) {
		t.Helper()
		if n := eval[int](p, `document.querySelectorAll('.rows .row').length`); n > 80 {
			t.Errorf("%s: %d rows are in the document", where, n)
		}
	}
	few("at the end")
	p.press("g")
	p.until(focusedRow(more + 1))
	p.until(`document.activeElement.getAttribute('aria-rowindex') === '2'`)
	few("at the start")
	eval[bool](p, `document.querySelector('.grid').scrollTop = document.querySelector('.grid').scrollHeight / 2, true`)
	p.until(inSight(kept/2 + more))
	few("in the middle")
	p.text(".jump", "Latest")
	p.click(".jump")
	p.until(inSight(kept + more))
	s.paid(1)
	p.until(inSight(kept + more + 4))
	p.text("#shown", "100,000 of 100,000")
	p.text("#forgotten", "504 older deliveries are no longer kept")
	p.press("/")
	p.press("id-77777 complete")
	p.text("#shown", "1 of 100,000")
}

// inSight is whether a row is drawn where it can be seen.
func inSight(n int) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.rows .row')].some((e) => e.n === %d && e.getBoundingClientRect().bottom <= innerHeight + 1 && e.getBoundingClientRect().top > 100)`, n)
}

func testResume(t *testing.T, p *tab) {
	p.forgiven = "net::ERR_"
	s := newStage(t)
	s.paid(1)
	p.as(wide())
	p.visit(s, "4")
	s.listener.cut()
	p.until(`document.querySelector('#connection').dataset.state === 'reconnecting'`)
	s.paid(2)
	p.text("#shown", "8 of 8")
	p.text("#connection-text", "Live")
	if got := eval[string](p, `[...document.querySelectorAll('.rows .row')].map((e) => e.n).join()`); got != "1,2,3,4,5,6,7,8" {
		t.Errorf("the rows are %s", got)
	}
	p.mu.Lock()
	if got := strings.Join(p.resumed, ","); got != "4" {
		t.Errorf("the stream went on from %q", got)
	}
	p.mu.Unlock()
	s.i.End()
	p.text("#connection-text", "Ended")
}
