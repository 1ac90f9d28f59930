// A small, correct receiver of the gateway's webhooks. Read main.go (what comes over the network), then claims.go (what
// an event says), then book.go (what we know, and how a customer is credited once).
//
// Environment: WEBHOOK_SECRET, PORT (0 = any free port), DATA (a file that keeps what must survive a restart),
// TOLERANCE (seconds that an event may be away from now).
package main

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

const maxBody = 1 << 20

var jsonType = regexp.MustCompile(`^application/(\S+\+)?json$`)

// refusal is why an event is not taken. Messages are constants: nothing of the event is ever sent back.
type refusal struct {
	status  int
	message string
}

func (r refusal) Error() string { return r.message }

type shop struct {
	book      *book
	secret    []byte
	tolerance time.Duration
}

// signed verifies the raw bytes, before anything else reads them: what json.Unmarshal and json.Marshal make of a body is
// another body. Compared as text, in a time that does not tell how much of it is right.
func (s *shop) signed(raw []byte, header string) bool {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write(raw)
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(header))
}

// unique reports whether no object in the next value has two members of one name: json.Unmarshal keeps the last of them,
// others keep the first, so such a body has no one meaning.
func unique(d *json.Decoder) bool {
	token, err := d.Token()
	if open, ok := token.(json.Delim); ok {
		names := map[json.Token]bool{}
		for d.More() {
			if open == '{' {
				name, _ := d.Token()
				if names[name] {
					return false
				}
				names[name] = true
			}
			if !unique(d) {
				return false
			}
		}
		_, err = d.Token()
	}
	return err == nil
}

// parse reads into a map: the fields of a struct would also be filled from "State" and "ſtate". json.Valid refuses what
// comes after the value, and more than 10,000 brackets in each other.
func parse(raw []byte) (payload map[string]any, err error) {
	check, read := json.NewDecoder(bytes.NewReader(raw)), json.NewDecoder(bytes.NewReader(raw))
	check.UseNumber()
	read.UseNumber()
	if !utf8.Valid(raw) || !json.Valid(raw) || !unique(check) || read.Decode(&payload) != nil {
		return nil, refusal{http.StatusBadRequest, "Invalid JSON"}
	}
	return payload, nil
}

func (s *shop) receive(w http.ResponseWriter, r *http.Request, event string) (any, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := strings.ToLower(cmp.Or(params["charset"], "utf-8")); err != nil || !jsonType.MatchString(kind) || charset != "utf-8" && charset != "utf8" {
		return nil, refusal{http.StatusUnsupportedMediaType, "Send application/json in UTF-8"}
	}
	if !strings.EqualFold(cmp.Or(r.Header.Get("Content-Encoding"), "identity"), "identity") {
		return nil, refusal{http.StatusUnsupportedMediaType, "Send it uncompressed"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, refusal{http.StatusRequestEntityTooLarge, "Too large"}
	} else if err != nil {
		return nil, refusal{http.StatusBadRequest, "Incomplete body"}
	}
	if !s.signed(raw, strings.Join(r.Header.Values("X-Signature"), ",")) {
		return nil, refusal{http.StatusUnauthorized, "Invalid signature"}
	}
	payload, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if payload["event"] != event {
		return nil, refusal{http.StatusBadRequest, "Invalid event type"}
	}
	data, _ := payload["data"].(map[string]any)
	if data == nil {
		return nil, refusal{http.StatusBadRequest, "Invalid data"}
	}
	// A signature stays valid for ever, so an event that is too old may be a recording.
	text, _ := payload["timestamp"].(string)
	if moment, err := time.Parse(time.RFC3339, text); err != nil || time.Since(moment).Abs() > s.tolerance {
		return nil, refusal{http.StatusBadRequest, "Invalid or distant timestamp"}
	}
	claimsOf := transactionClaims
	if event == "invoice.updated" {
		claimsOf = invoiceClaims
	}
	claims, err := claimsOf(event, data)
	if err != nil || claims == nil {
		return map[string]string{"status": "received"}, err // a state we do not know: taken, without effect
	}
	status, err := s.book.settle(claims)
	return map[string]string{"status": status}, err
}

func (s *shop) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	event := map[string]string{
		"/callback/update-invoice":     "invoice.updated",
		"/callback/create-transaction": "transaction.created",
		"/callback/update-transaction": "transaction.updated",
	}[r.URL.Path]
	id, probe := strings.CutPrefix(r.URL.Path, "/orders/")
	switch {
	case event != "" && r.Method == http.MethodPost:
		return s.receive(w, r, event)
	case probe && r.Method == http.MethodGet:
		return s.book.order(id)
	case event != "" || probe:
		return nil, refusal{http.StatusMethodNotAllowed, "Method not allowed"}
	}
	return nil, refusal{http.StatusNotFound, "Not found"}
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := s.answer(w, r)
	w.Header().Set("Content-Type", "application/json")
	var why refusal
	if errors.As(err, &why) {
		w.WriteHeader(why.status)
		body = map[string]string{"error": why.message}
	}
	_ = json.NewEncoder(w).Encode(body)
}

func main() {
	secret := os.Getenv("WEBHOOK_SECRET")
	tolerance, err := time.ParseDuration(cmp.Or(os.Getenv("TOLERANCE"), "300") + "s")
	if secret == "" || err != nil {
		log.Fatal("set WEBHOOK_SECRET to the secret you share with the gateway, and TOLERANCE, if at all, to seconds")
	}
	book, err := open(os.Getenv("DATA"))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := http.Server{
		Handler:           &shop{book, []byte(secret), tolerance},
		ReadHeaderTimeout: 10 * time.Second, // without limits, slow clients hold all connections
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	log.Fatal(server.Serve(listener))
}
