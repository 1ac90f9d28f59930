package schema_test

import (
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
)

func TestFormats(t *testing.T) {
	zeros := func(count int) string { // base58check of that many zero bytes
		once := sha256.Sum256(make([]byte, count))
		twice := sha256.Sum256(once[:])
		return strings.Repeat("1", count) + base58(twice[:4])
	}
	for _, test := range []struct {
		format string
		valid  bool
		texts  []string
	}{
		{"date-time", true, []string{
			"2024-02-29T23:59:59Z", "1963-06-19T08:30:06.283185Z", "1990-12-31T15:59:50.123-08:00", "2024-01-01t00:00:00z",
			"1998-12-31T23:59:60Z", "1998-12-31T15:59:60.123-08:00", "1998-12-31T23:29:60+23:30", "2024-01-01T00:29:60+00:30", "0000-01-01T00:00:00Z",
			"2024-01-01T00:00:00+23:59", "2024-01-01T00:00:00.000Z",
		}},
		{"date-time", false, []string{
			"", "2024-01-01", "2023-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-32T00:00:00Z",
			"2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "1998-12-31T23:58:60Z", "1998-12-31T22:59:60Z",
			"1998-12-31T23:59:60+01:00", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,5Z",
			"2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+0000", "2024-01-01T00:00:00+00", "2024-01-01T00:00Z",
			"24-01-01T00:00:00Z", "12024-01-01T00:00:00Z", "2024-1-01T00:00:00Z", "2024-01-01T0:00:00Z", "2024-01-01T00:00:00ZZ", "2024-01-01T00:00:0Z.",
			"2024-01-0١T00:00:00Z", "2024-01-01T00:00:00 Z", " 2024-01-01T00:00:00Z", "2024-01-01T00-00-00Z", "+024-01-01T00:00:00Z", "2024-001T00:00:00Z",
			"2024-01-01T00:00:00+00:00Z", "2024-01-01T00:00:00.1.2Z", "2024-01-01T00:00:00-", "2024-01-01T00:00:00UTC",
		}},
		{"uuid", true, []string{
			"2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-AA98-11ea-B4Aa-73B441D16380",
			"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
		}},
		{"uuid", false, []string{
			"", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08-aa98-11ea-b4aa-73b441d163800", "2eb8aa08aa9811eab4aa73b441d16380",
			"2eb8aa08-aa98-11ea-b4aa73b441d16380-", "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380", "2eb8aa08-aa98-11ea-b4ga-73b441d16380",
			"{2eb8aa08-aa98-11ea-b4aa-73b441d163}", "2eb8aa08-aa98-11ea-b4aa-73b441d1638é",
		}},
		{"base58check", true, []string{
			"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "3QJmnh",
			"1111111111111111111114oLvT2", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
			"xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
			zeros(0), zeros(1), zeros(250),
		}},
		{"base58check", false, []string{
			"", "1", "1111", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf", "A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
			"11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv0", "tjrabprwbzy45sbavfcjinpjc18kjprtv8", "3QJmnh ", "3QJmné",
			zeros(251), strings.Repeat("z", 100_000),
		}},
		{"date-time", true, []string{"2024-09-09T09:09:09+09:09", "2024-10-10T19:49:59-19:49"}},
		{"date-time", false, noDigits("2024-01-01T00:00:00Z", 11, 12, 14, 15, 17, 18)},
		{"date-time", false, noDigits("2024-01-01T00:00:00+00:00", 20, 21, 23, 24)},
	} {
		s := compile(t, `{"format":"`+test.format+`"}`)
		for _, text := range test.texts {
			if got := s.Validate(jsondoc.StringValue(text)) == nil; got != test.valid {
				t.Errorf("%.100q is %s: %t, want %t", text, test.format, got, test.valid)
			}
		}
	}
}

// noDigits spoils text at each of the places by the neighbours of digits, and some others.
func noDigits(text string, places ...int) []string {
	var all []string
	for _, at := range places {
		for _, c := range []string{"/", ":", " ", "-", "\x00", "a", "\x7f", "\xba"} {
			all = append(all, text[:at]+c+text[at+1:])
		}
	}
	return all
}

func base58(raw []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, digit, text := new(big.Int).SetBytes(raw), new(big.Int), ""
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), digit)
		text = alphabet[digit.Int64():][:1] + text
	}
	return text
}
