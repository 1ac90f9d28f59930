package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"strings"
	"sync"
)

// A fact is what an event says: "invoice A costs 74.074074", "invoice A is credited with 74.074074". It is written once
// and never changed. So it does not matter in which order events arrive, or how often: a second credit of an invoice has
// no place to be written to. Deduplicate by such facts, never by a hash of the body or by the timestamp: a retry may be
// stamped and formatted anew.
type fact struct{ Kind, ID, Value string }

// book holds all facts, in memory and in a file to which they are appended. In a real shop: one table with a unique key,
// and one database transaction for each event.
type book struct {
	mu         sync.Mutex
	facts      map[[2]string]string
	invoicesOf map[string][]string // by customer
	journal    *os.File
}

func open(path string) (*book, error) {
	b := &book{facts: map[[2]string]string{}, invoicesOf: map[string][]string{}}
	if path == "" {
		return b, nil
	}
	var err error
	if b.journal, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(b.journal)
	if err != nil {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for line := range bytes.Lines(whole) {
		var news []fact
		if err := json.Unmarshal(line, &news); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		b.remember(news)
	}
	return b, b.journal.Truncate(int64(len(whole))) // a line cut by a crash was never answered with 200
}

func (b *book) remember(news []fact) {
	for _, f := range news {
		b.facts[[2]string{f.Kind, f.ID}] = f.Value
		if f.Kind == "customer" {
			b.invoicesOf[f.Value] = append(b.invoicesOf[f.Value], f.ID)
		}
	}
}

// settle looks up and credits under one lock. If the lock were given back between "have I seen this?" and "remember it",
// a duplicate handled at the same time would get through, and the customer would be credited twice.
func (b *book) settle(claims []fact) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var news []fact
	for _, c := range claims {
		switch value, ok := b.facts[[2]string{c.Kind, c.ID}]; {
		case ok && value != c.Value:
			return "", refusal{http.StatusConflict, "Contradicts an earlier event"}
		case !ok:
			news = append(news, c)
		}
	}
	if len(news) == 0 || news[0] != claims[0] { // the first claim is the event itself
		return "duplicate", nil
	}
	if b.journal != nil {
		line, err := json.Marshal(news)
		if err == nil {
			_, err = b.journal.Write(append(line, '\n'))
		}
		if err == nil {
			err = b.journal.Sync() // answer 200 only when it is on the disk: the gateway will not send it again
		}
		if err != nil {
			log.Fatal(err) // nobody knows what is in the file now; the next start reads it, the gateway tries again
		}
	}
	b.remember(news)
	return "ok", nil
}

// order lets a test see effects. It tells everybody what customers have: in production leave it out, or protect it.
func (b *book) order(id string) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := func(kind, id string) string { return b.facts[[2]string{kind, id}] }
	state := known("outcome", id)
	for _, earlier := range []string{"Pending", "Wait"} {
		if state == "" && known("invoice said "+earlier, id) != "" {
			state = earlier
		}
	}
	if state == "" {
		return nil, refusal{http.StatusNotFound, "Unknown order"}
	}
	balance, deliveries := new(big.Int), "0"
	for _, other := range b.invoicesOf[known("customer", id)] {
		if known("asset", other) == known("asset", id) { // USDT and TRX do not add up
			balance.Add(balance, number(known("credited", other)))
			balance.Sub(balance, number(known("refunded", other)))
		}
	}
	if known("credited", id) != "" {
		deliveries = "1"
	}
	return map[string]string{
		"state": state, "credited": decimal(number(known("credited", id))), "refunded": decimal(number(known("refunded", id))),
		"deliveries": deliveries, "balance": decimal(balance),
	}, nil
}

func number(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return new(big.Int)
	}
	return n
}

func decimal(n *big.Int) string {
	text := new(big.Rat).SetFrac(n, big.NewInt(1_000_000)).FloatString(6)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
