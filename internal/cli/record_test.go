package cli

import "testing"

func TestIsCredential(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true, "COOKIE2": true,
		"X-Api-Key": true, "apikey": true, "X-Auth-Token": true, "TOKEN": true, "My-Secret-Sauce": true, "x-password": true,
		"X-PassPassword": true, "X-Tokoken-Token": true,
		"": false, "Content-Type": false, "Content-Length": false, "X-Signature": false, "User-Agent": false, "Api_Key": false,
		"Tok-en": false, "X-Toke": false, "Secre": false, "Pass-Word": false, "Cook": false, "Author": false,
	} {
		if got := isCredential(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
