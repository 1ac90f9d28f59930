package inspect_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
		"looks": testLooks, "follow": testFollow, "keyboard": testKeyboard, "focus": testFocus, "compare": testCompare, "copy": testCopy, "hangul": testHangul,
		"hostile": testHostile, "many": testMany, "resume": testResume,
	} {
		t.Run(name, func(t *testing.T) { test(t, newTab(browser, t)) })
	}
}

// views are the places of the page, what is done there, and what is there when it
// is drawn. Delivery 33 is the one that breaks its schema, 40 the illegal one.
func views() []view {
	return []view{
		{"timeline", "#/", "", `document.querySelectorAll('.rows .row').length > 5`},
		{"delivery", "#/d/33", "", `document.querySelector('.beside')`},
		{"illegal", "#/d/40", "", `document.querySelector('.beside')`},
		{"payment", "#/p/invoice/ID", "", `document.querySelector('.lanes-svg .point-violation')`},
		{"facts", "#/p/invoice/ID", ".as-table summary", `document.querySelector('.drifted') && document.querySelector('details[open]')`},
		{"overview", "#/overview", "", `document.querySelector('#overview .bars')`},
		{"raw", "#/d/34", "#tab-raw", `document.querySelector('.raw')`},
		{"headers", "#/d/40", "#tab-headers", `document.querySelector('table.headers')`},
		{"answer", "#/d/40", "#tab-answer", `document.querySelector('.answer-line')`},
		{"diff", "#/d/40", "#tab-diff", `document.querySelector('.diff-new')`},
		{"gone", "#/d/999", "", `document.querySelector('.problem')`},
		{"help", "#/", "#help-open", `document.querySelector('dialog[open]')`},
	}
}

type view struct{ name, hash, click, drawn string }

// wide is how most look at it.
func wide() look { return look{"wide", 1440, 900, false} }

// visit opens the page and waits until it has so many rows.
func (p *tab) visit(s *stage, rows string) {
	p.t.Helper()
	p.do(chromedp.Navigate(s.url))
	p.text("#shown", rows+" of "+rows)
	p.text("#connection-text", "Live")
}

// wrong delivers a payment that ends with a transition that is not allowed; the
// last of its five deliveries is that.
func wrong(s *stage) {
	s.paid(1)
	path, body := s.body("invoice", "pending", "complete", 1)
	s.deliver(path, s.changed(body, map[string]any{"previousState": "Complete"}))
}

func testFollow(t *testing.T, p *tab) {
	s := newStage(t)
	p.as(wide())
	p.do(chromedp.Navigate(s.url))
	p.text(".empty", "Waiting for the first delivery")
	wrong(s)
	p.until(`document.querySelectorAll('.rows .row').length === 5`)
	p.until(`document.title === '(1) paytest · listening on 127.0.0.1:3000'`)

	p.click(".row-violation .c1")
	p.text("#panel-title", "#5 invoice.updated")
	p.do(chromedp.NavigateBack())
	p.until(`document.querySelector('#panel').hidden`)
	p.do(chromedp.NavigateForward())
	p.text("#panel-title", "#5 invoice.updated")
	p.text(`.line-violation[data-pointer="/data/previousState"] + .beside`, "illegal-transition")
	p.text(`.line-violation[data-pointer="/data/previousState"] + .beside .source`, "webhook/invoice")
	p.click(".finding .pointer")
	p.until(`document.activeElement.dataset.pointer === '/data/previousState'`)

	p.do(chromedp.SendKeys(chromedp.CSS(".search"), "ILLEGAL-tr"))
	p.text("#shown", "1 of 5")
	p.click(".filters .quiet")
	p.text("#shown", "5 of 5")
	p.click(".chip.badge-ok")
	p.text("#shown", "4 of 5")
	p.click(".chip.badge-ok")
	for facet, want := range map[string]string{"Event": "1 of 5", "State": "2 of 5", "Subject": "2 of 5"} {
		value := map[string]string{"Event": "transaction.created", "State": "Complete", "Subject": "transaction"}[facet]
		choose := `(() => { const s = document.querySelector('select[aria-label=%s]'); s.value = '%s'; s.dispatchEvent(new Event('change')); return true })()`
		eval[bool](p, fmt.Sprintf(choose, facet, value))
		p.text("#shown", want)
		p.click(".filters .quiet")
	}

	p.click("#resend")
	if again := <-s.again; again.State != "Pending" || again.PreviousState != "Complete" {
		t.Errorf("another delivery was resent: %s from %s", again.State, again.PreviousState)
	}
	p.text(".resent", "answered 200")
	p.text("#shown", "6 of 6")

	p.click("#to-payment")
	p.until(`document.querySelector('.state-graph .edge-illegal') && document.querySelector('.state-graph .edge-taken')`)
	p.text(".state-graph .node-current", "Complete")
	p.text(".illegal", "not allowed to Pending")
	p.until(`document.querySelectorAll('.lanes-svg .point').length >= 5 && document.querySelector('.lanes-svg .point-violation')`)
	p.text(".facts", "cryptoAmount")
	p.click(".illegal a")
	p.text("#panel-title", "#5")
	p.do(chromedp.NavigateBack())
	p.text("#panel-title", "Payment")
	p.do(chromedp.NavigateBack())
	p.text("#panel-title", "#5")
}

func testKeyboard(t *testing.T, p *tab) {
	s := newStage(t)
	wrong(s)
	p.as(wide())
	p.visit(s, "5")
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+"#/d/2"))
	p.until(`document.querySelector('.row[aria-selected=true]')?.n === 2`)
	p.press(kb.Escape)
	p.press("/")
	p.until(`document.activeElement.matches('.search')`)
	p.press("pending")
	p.text("#shown", "5 of 5") // each is in that state, or leaves it
	// Escape leads to the list also before the list that was searched is drawn.
	if active := eval[string](p, `(() => {
		const search = document.activeElement;
		search.dispatchEvent(new Event('input', { bubbles: true }));
		search.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
		return document.activeElement.className;
	})()`); !strings.HasPrefix(active, "row ") {
		t.Fatalf("Escape leads from the search to %q", active)
	}
	p.press("/")
	p.until(`document.activeElement.matches('.search')`)
	p.press(kb.Escape)
	p.until(`document.activeElement.matches('.row')`)
	p.press("g")
	p.until(focusedRow(1))
	p.press("j")
	p.press(kb.ArrowDown)
	p.until(focusedRow(3))
	p.press("k")
	p.press(kb.Enter)
	p.text("#panel-title", "#2")
	p.until(`document.activeElement.id === 'panel-title'`)
	p.press("j")
	p.text("#panel-title", "#3")
	p.press(kb.Escape)
	p.until(`document.querySelector('#panel').hidden`)
	p.until(focusedRow(3))
	p.press("G")
	p.until(focusedRow(5))
	p.press(kb.Enter)
	p.text("#panel-title", "#5")
	p.press("r")
	<-s.again
	p.text(".resent", "answered 200")
	p.press("v")
	p.text("#panel-title", "Payment")
	p.press(kb.Escape)

	p.press("?")
	p.until(`document.querySelector('dialog.help[open]')`)
	p.press("p") // means nothing below a dialog
	p.press(kb.Escape)
	p.until(`!document.querySelector('dialog')`)
	p.press("p")
	p.text(".pause", "Resume · 0 waiting")
	s.paid(9)
	p.text(".pause", "Resume · 4 waiting")
	p.text("#shown", "6 of 6")
	p.press("p")
	p.text("#shown", "10 of 10")
}

func focusedRow(n int) string {
	return fmt.Sprintf(`document.activeElement.n === %d`, n)
}

// testFocus walks through everything by the Tab key: it must be seen where the
// focus is, and each stop must have a name.
func testFocus(t *testing.T, p *tab) {
	s := newStage(t)
	wrong(s)
	p.as(wide())
	p.visit(s, "5")
	p.press("G" + kb.Enter)
	p.text("#panel-title", "#5")
	p.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	var stops []string
	for range 80 {
		p.press(kb.Tab)
		stop := eval[[]string](p, `(() => {
			const e = document.activeElement, c = getComputedStyle(e);
			const name = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;
			return [e.tagName + '.' + e.className + '#' + e.id + ':' + name.trim().slice(0, 20), String(e === document.body || c.outlineStyle !== 'none'), name.trim()];
		})()`)
		if len(stops) > 0 && stop[0] == stops[0] {
			break
		}
		if strings.HasPrefix(stop[0], "BODY") {
			continue
		}
		if stop[1] != "true" || stop[2] == "" {
			t.Errorf("the focus is not seen at, or nothing names, %s", stop[0])
		}
		stops = append(stops, stop[0])
	}
	all := strings.Join(stops, "\n")
	for _, want := range []string{"Skip to", "search", "SELECT", "chip", "pause", "row", "resend", "pointer", "tab-json", "key-known"} {
		if !strings.Contains(all, want) {
			t.Errorf("the Tab key never comes to %s:\n%s", want, all)
		}
	}
	if rows := strings.Count(all, "DIV.row "); rows != 1 {
		t.Errorf("the list has %d stops:\n%s", rows, all)
	}

	p.do(chromedp.Focus(chromedp.CSS(".key-known")))
	p.until(`!document.querySelector('#tip').hidden && document.querySelector('#tip').textContent.length > 10`)
	p.press(kb.Escape)
	p.until(`document.querySelector('#tip').hidden && !document.querySelector('#panel').hidden`)
}

func testCompare(_ *testing.T, p *tab) {
	s := newStage(p.t)
	wrong(s)
	p.as(wide())
	p.visit(s, "5")
	p.press("Gm")
	p.until(`document.querySelector('.row.marked')?.n === 5`)
	p.press("k\r")
	p.text("#panel-title", "#4")
	p.click("#tab-diff")
	p.text(".diff-gone", `"state": "Pending"`)
	p.text(".diff-new", `"state": "Complete"`)
	p.until(`document.querySelector('#diff-with').value === 'marked'`)
	eval[bool](p, `(() => { const s = document.querySelector('#diff-with'); s.value = 'previous'; s.dispatchEvent(new Event('change')); return true })()`)
	p.text(".diff-gone", `"state": "Pending"`)
	eval[bool](p, `(() => { const s = document.querySelector('#diff-with'); s.value = 'sample'; s.dispatchEvent(new Event('change')); return true })()`)
	p.text(".diff-result", "The form is the same")
	p.click("#diff-form")
	p.text(".diff-new", `"invoiceId"`)
	p.shoot("compare")
}

func testCopy(t *testing.T, p *tab) {
	s := newStage(t)
	wrong(s)
	p.as(wide())
	p.visit(s, "5")
	p.press("G\r")
	p.text("#panel-title", "#5")
	clipboard := `Object.defineProperty(navigator, 'clipboard', {configurable: true, value: {writeText: async (text) => { %s }}}), true`
	eval[bool](p, fmt.Sprintf(clipboard, "window.copied = text"))
	for i, want := range []string{"curl ", "paytest ", "{\n"} {
		p.click(fmt.Sprintf(".copy-group button:nth-of-type(%d)", i+1))
		p.until(fmt.Sprintf(`window.copied?.startsWith(%q)`, want))
	}
	eval[bool](p, fmt.Sprintf(clipboard, "throw new Error('refused')"))
	p.click(".copy-group button")
	p.until(`document.querySelector('dialog.offer[open] textarea')?.value.startsWith('curl ')`)
	p.until(`document.activeElement.matches('textarea') && document.activeElement.selectionEnd > 10`)
}

// testHangul compares two syllables: where no font had them, both were the same
// empty box.
func testHangul(t *testing.T, p *tab) {
	if fonts, err := exec.CommandContext(t.Context(), "fc-list", ":lang=ko", "family").Output(); err != nil || len(fonts) == 0 {
		t.Skip("no font with Hangul is installed: whether it is shown is not tested")
	}
	s := newStage(t)
	wrong(s)
	p.as(wide())
	p.visit(s, "5")
	p.press("G" + kb.Enter)
	p.until(`document.querySelector('.value-string')`)
	for _, selector := range []string{"body", ".value-string"} {
		if !eval[bool](p, fmt.Sprintf(`(() => {
			const drawn = (text) => {
				const c = document.createElement('canvas').getContext('2d');
				c.font = getComputedStyle(document.querySelector(%q)).font;
				c.fillText(text, 20, 50);
				return c.getImageData(0, 0, 100, 100).data.join();
			};
			return drawn('한') !== drawn('글') && drawn('한') !== drawn('');
		})()`, selector)) {
			t.Errorf("%s: Hangul is not shown", selector)
		}
	}
}

// everywhere is how many of the views are looked at in every way.
const everywhere = 6

func testLooks(t *testing.T, p *tab) {
	p.forgiven = "/deliveries/999" // which is not there
	s := newStage(t)
	axe := axeSource(t)
	p.as(wide())
	p.do(chromedp.Navigate(s.url))
	p.text(".empty", "Waiting for the first delivery")
	p.sound("nothing yet", axe)
	story(s)
	_, body := s.body("invoice", "complete", "complete", 40)
	id := between(body, `"invoiceId":"`, `"`)
	for _, l := range []look{
		{"wide-light", 1440, 900, false},
		{"wide-dark", 1440, 900, true},
		{"narrow-light", 360, 740, false},
		{"narrow-dark", 360, 740, true},
	} {
		p.as(l)
		for i, v := range views() {
			if i >= everywhere && l.dark == (l.width < 500) {
				continue // seen in one look of each width and each colour
			}
			p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+strings.ReplaceAll(v.hash, "ID", id)))
			p.text("#connection-text", "Live")
			if v.click != "" {
				p.click(v.click)
			}
			p.until(v.drawn)
			p.shoot(v.name + "-" + l.name)
			p.sound(v.name+" "+l.name, axe)
		}
	}
}

// sound looks at whether everything keeps its place and can be used by all.
func (p *tab) sound(where, axe string) {
	p.t.Helper()
	if wide := eval[[]string](p, overflowing); len(wide) > 0 {
		p.t.Errorf("%s: wider than the page: %s", where, strings.Join(wide, "; "))
	}
	if axe == "" {
		return
	}
	eval[bool](p, axe+";true")
	for _, found := range eval[[]string](p, runAxe) {
		p.t.Errorf("%s: axe: %s", where, found)
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
}), document.body.scrollHeight > innerHeight + 1 ? ['the page is higher than the window: ' + document.body.scrollHeight] : [])`

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
		t.Logf("accessibility is not checked: there is no %s; npm ci --prefix internal/inspect/testdata brings it, or AXE names another", path)
		return ""
	}
	return string(source)
}
