package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	invoiceStates = []string{"Wait", "Pending", "Complete", "Fail", "Cancel", "Reject"}
	finalStates   = []string{"Complete", "Fail", "Cancel", "Reject"}
	cashAssets    = []json.Number{"1", "2"}      // KRW, USD
	cryptoAssets  = []json.Number{"101", "1001"} // TRX, USDT on TRON
	money         = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]{1,6})?$`)
)

// claims collects what an event claims, and the first reason not to take it. What is absent or null claims nothing.
type claims struct {
	list []fact
	err  error
}

func (c *claims) add(kind, id string, value any, read func(any) (string, error)) {
	if value == nil || c.err != nil {
		return
	}
	f := fact{Kind: kind, ID: id}
	f.Value, c.err = read(value)
	for _, other := range c.list {
		if c.err == nil && other.Kind == kind && other.ID == id && other.Value != f.Value {
			c.err = refusal{http.StatusConflict, "Contradicts itself"}
		}
	}
	c.list = append(c.list, f)
}

// key reads an identifier, which is only ever a key. It is not cut to a length: two long ones could become the same.
// U+FFFD is what encoding/json makes of all that is no character.
func key(value any) (string, error) {
	s, ok := value.(string)
	if !ok || s == "" || utf8.RuneCountInString(s) > 255 || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsRune(s, utf8.RuneError) {
		return "", refusal{http.StatusUnprocessableEntity, "Invalid identifier"}
	}
	return s, nil
}

// millionths reads money, a decimal string, and counts it in whole millionths. ParseFloat would credit 100000 for "1e5"
// and 9007199254740992 for "9007199254740993", and ten times 0.1 would not be 1; SetString takes "1_000" and "0x10".
func millionths(value any) (string, error) {
	s, ok := value.(string)
	if !ok || len(s) > 40 || !money.MatchString(s) {
		return "", refusal{http.StatusUnprocessableEntity, "Invalid amount"}
	}
	whole, fraction, _ := strings.Cut(s, ".")
	return number(whole + (fraction + "000000")[:6]).String(), nil
}

func asset(known []json.Number) func(any) (string, error) {
	return func(value any) (string, error) {
		n, _ := value.(json.Number)
		if !slices.Contains(known, n) {
			return "", refusal{http.StatusUnprocessableEntity, "Unknown asset"}
		}
		return n.String(), nil
	}
}

func invoiceClaims(_ string, data map[string]any) ([]fact, error) {
	state, _ := data["state"].(string)
	if !slices.Contains(invoiceStates, state) {
		return nil, nil
	}
	id, err := key(data["invoiceId"])
	if err != nil {
		return nil, err
	}
	transaction, _ := data["transaction"].(map[string]any)
	received, complete := transaction["receivedAmount"], state == "Complete"
	if complete {
		received = data["cryptoAmount"]
	}
	var c claims
	c.add("invoice said "+state, id, "yes", key) // the first claim is the event itself
	c.add("customer", id, data["customerId"], key)
	c.add("cash", id, data["cashAmount"], millionths)
	c.add("cash asset", id, data["cashAssetId"], asset(cashAssets))
	c.add("price", id, data["cryptoAmount"], millionths)
	c.add("price", id, transaction["expectedAmount"], millionths)
	c.add("asset", id, data["cryptoAssetId"], asset(cryptoAssets))
	if transaction["id"] != nil {
		tx, err := key(transaction["id"])
		if err != nil {
			return nil, err
		}
		c.add("invoice", tx, id, key)
		c.add("hash", tx, transaction["detail"], key) // not an invoice for each hash: one hash may pay several invoices
		c.add("sent", tx, received, millionths)
		if complete {
			c.add("fate", tx, state, key)
		}
	}
	// An invoice ends once: Complete after Fail, Cancel or Reject contradicts, and a person must look at it.
	// previousState is not asked: what we have seen decides, and Complete may well come before Pending.
	if slices.Contains(finalStates, state) {
		c.add("outcome", id, state, key)
	}
	var needed []any // for whom, of what, how much
	if complete {
		needed = []any{data["customerId"], data["cryptoAssetId"], received}
		c.add("credited", id, received, millionths)
	}
	if state == "Fail" && data["reason"] == "amount_mismatch" {
		needed = []any{data["customerId"], received}
		c.add("refunded", id, received, millionths)
	}
	if slices.Contains(needed, nil) {
		return nil, refusal{http.StatusUnprocessableEntity, "Incomplete"}
	}
	return c.list, c.err
}

// transactionClaims: transactions tell how a payment gets on. They never credit or refund: the invoice's own event does,
// and both come.
func transactionClaims(event string, data map[string]any) ([]fact, error) {
	state, _ := data["state"].(string)
	if created := event == "transaction.created"; created != (state == "Pending") || !created && state != "Complete" && state != "Fail" {
		return nil, nil
	}
	id, err := key(data["id"])
	invoice, err2 := key(data["invoiceId"])
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	var c claims
	c.add("transaction said "+state, id, "yes", key)
	c.add("invoice", id, invoice, key)
	c.add("hash", id, data["detail"], key)
	c.add("sent", id, data["amount"], millionths)
	if state != "Pending" {
		c.add("fate", id, state, key)
	}
	c.add("customer", invoice, data["customerId"], key)
	c.add("asset", invoice, data["assetId"], asset(cryptoAssets))
	details, _ := data["Asset"].(map[string]any)
	c.add("asset", invoice, details["id"], asset(cryptoAssets))
	return c.list, c.err
}
