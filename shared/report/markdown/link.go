package markdown

import (
	"net/url"
	"strings"
)

// Link returns text, which must be safe, as a link to address. If address is not plainly a web
// address, it is shown and not linked.
func Link(text, address string) string {
	if address == "" {
		return text
	}
	u, err := url.Parse(address)
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(address) <= 2*MaxName
	for _, r := range address {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		ok = ok && (plain || strings.ContainsRune("-._~:/?#@%=+,", r) || r == '&')
	}
	if !ok {
		return text + " (" + Code(Clip(address, 2*MaxName)) + ")"
	}
	return "[" + text + "](" + address + ")"
}
