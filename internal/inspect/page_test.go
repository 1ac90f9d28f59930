package inspect_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// story is what a merchant may see in an afternoon. It ends with a payload that
// breaks its schema, a fact that drifts, and an illegal transition.
func story(s *stage) {
	for i := range uint64(6) {
		s.paid(i)
	}
	s.report("invoice", "complete", "complete", 2)
	s.report("invoice", "cancel", "cancel", 20)
	s.report("invoice", "wait", "reject", 21)
	s.report("invoice", "reject", "reject", 21)
	s.report("transaction", "created", "fail", 22)
	s.report("invoice", "pending", "fail", 22)
	s.report("transaction", "complete", "fail", 22)
	s.report("invoice", "fail", "fail", 22)
	path, body := s.body("invoice", "complete", "complete", 30)
	s.deliver(path, s.changed(body, map[string]any{"title": nil, "cashAmount": 100000, "note": "\u202eevil <b>bold</b>"}))
	s.deliver(path, `{"event": "invoice.updated", nope`)
	s.paid(40)
	path, body = s.body("invoice", "complete", "complete", 40)
	s.deliver(path, s.changed(body, map[string]any{"cryptoAmount": "75.000000", "title": "다른 제목"}))
	path, body = s.body("invoice", "pending", "complete", 40)
	s.deliver(path, s.changed(body, map[string]any{"previousState": "Complete"}))
}

func TestPage(t *testing.T) {
	browser := newBrowser(t)
	for name, test := range map[string]func(*testing.T, *tab){
		"looks": testLooks,
	} {
		t.Run(name, func(t *testing.T) { test(t, newTab(t, browser)) })
	}
}

// views are the places of the page, and what is there when it is drawn. Delivery
// 39 is the illegal one at the end of the story, 33 the one that breaks the schema.
var views = []struct{ name, hash, drawn string }{
	{"timeline", "#/", `document.querySelectorAll('.rows .row').length > 5`},
	{"delivery", "#/d/33", `document.querySelector('.beside')`},
	{"illegal", "#/d/40", `document.querySelector('.beside')`},
	{"payment", "", `document.querySelector('.lanes-svg .point-violation')`},
	{"overview", "#/overview", `document.querySelector('#overview .bars')`},
}

func testLooks(t *testing.T, p *tab) {
	s := newStage(t)
	story(s)
	path, body := s.body("invoice", "complete", "complete", 40)
	_ = path
	id := between(body, `"invoiceId":"`, `"`)
	axe := axeSource(t)
	for _, l := range []look{
		{"wide-light", 1440, 900, false},
		{"wide-dark", 1440, 900, true},
		{"narrow-light", 360, 740, false},
		{"narrow-dark", 360, 740, true},
	} {
		p.as(l)
		for _, v := range views {
			hash := v.hash
			if v.name == "payment" {
				hash = "#/p/invoice/" + id
			}
			p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+hash))
			p.until(v.drawn)
			p.shoot(v.name + "-" + l.name)
			if wide := eval[[]string](p, overflowing); len(wide) > 0 {
				t.Errorf("%s %s: wider than the page: %s", v.name, l.name, strings.Join(wide, "; "))
			}
			if axe != "" {
				eval[bool](p, axe+";true")
				for _, found := range eval[[]string](p, runAxe) {
					t.Errorf("%s %s: axe: %s", v.name, l.name, found)
				}
			}
		}
	}
}

// between returns what stands in a text between two others.
func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	inner, _, _ := strings.Cut(rest, after)
	return inner
}

// overflowing lists what reaches out of the page at its right, unless something
// around it scrolls or cuts it off.
const overflowing = `[...document.body.querySelectorAll('*')].filter((e) => {
	if (e.closest('.hidden-text, .sprite, .skip')) return false;
	const r = e.getBoundingClientRect();
	if (r.width === 0 || r.right <= innerWidth + 1) return false;
	for (let a = e.parentElement; a && a !== document.body; a = a.parentElement) {
		if (getComputedStyle(a).overflowX !== 'visible' && a.getBoundingClientRect().right <= innerWidth + 1 && !a.matches('main, .panel, .panel-body, .overview')) return false;
	}
	return true;
}).map((e) => e.outerHTML.slice(0, 120)).concat(['.panel-body', '.overview'].filter((s) => {
	const e = document.querySelector(s);
	return e && e.scrollWidth > e.clientWidth + 1;
}))`

const runAxe = `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.flatMap((v) =>
	v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary.replaceAll('\n', ' '))))`

// axeSource is the checker of accessibility. It is not part of this repository:
// its licence asks more of who passes it on than ours does.
func axeSource(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE")
	if path == "" {
		path = filepath.Join("testdata", "node_modules", "axe-core", "axe.min.js")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Logf("accessibility is not checked: AXE names no axe.min.js, and there is none in %s", path)
		return ""
	}
	return string(source)
}
