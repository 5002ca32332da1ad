package awsauth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// sessionNameLimit is how many characters a role session name may have. The allowed ones are
// [\w+=,.@-], in ASCII.
const sessionNameLimit = 64

// SessionName names a role session after the repository, the run and the target, so that
// CloudTrail shows who did what: "acme-infra@30433642@vpc@plat-ue2-dev". A character that is
// not allowed becomes "-", and so does an empty part. If the name is too long, the repository
// and the target are shortened, and 8 digits of the SHA-256 of all parts are added. The run is
// not shortened if it has at most 50 characters.
func SessionName(repository, run string, target ...string) string {
	first, middle, last := sessionText(repository), "@"+sessionText(run), ""
	for _, part := range target {
		last += "@" + sessionText(part)
	}
	if len(first)+len(middle)+len(last) <= sessionNameLimit {
		return first + middle + last
	}
	digest := sha256.Sum256([]byte(strings.Join(append([]string{repository, run}, target...), "\x00")))
	end := "=" + hex.EncodeToString(digest[:4])
	middle = middle[:min(len(middle), sessionNameLimit-len(end)-4)]
	// If one of the two is short, the other may be longer.
	room := sessionNameLimit - len(middle) - len(end)
	firstRoom := min(len(first), max(room/2, room-len(last)))
	return first[:firstRoom] + middle + last[:min(len(last), room-firstRoom)] + end
}

func sessionText(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_+=,.@-", c) {
			return c
		}
		return '-'
	}, s)
}
