package gha

import (
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

func TestSecretsOfTheEnvironmentAreKnownByTheirNames(t *testing.T) {
	t.Parallel()
	const secret = "the \"secret\" value"
	for _, name := range []string{"TF_HTTP_PASSWORD", "DEPLOY_TOKEN", "deploy_token", "A_SECRET", "SSH_KEY", "TOKEN", "GOOGLE_CREDENTIALS"} {
		r := New([]string{name + "=" + secret, "OTHER=something else"}, io.Discard)
		for _, text := range []string{secret, strings.ReplaceAll(secret, `"`, `\"`), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if got := r.Redacted("before " + text + " something else"); strings.Contains(got, "value") || strings.Contains(got, text) || !strings.Contains(got, "something else") {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	for _, entry := range []string{"TOKEN=short", "KEYS=not a secret at all", "TF_VAR_region=us-east-2-and-more"} {
		_, value, _ := strings.Cut(entry, "=")
		if got := New([]string{entry}, io.Discard).Redacted(value); got != value {
			t.Errorf("%s: %q", entry, got)
		}
	}
	// Several lines, as a private key has, and JSON, of which not each line is a secret.
	r := New([]string{"DEPLOY_KEY=first line of it\nsecond line of it\n", "GOOGLE_CREDENTIALS={\n  \"type\": \"service_account\",\n  \"private_key\": \"line one\\nline two\"\n}"}, io.Discard)
	for text, hidden := range map[string]bool{"second line of it": true, "line two": true, "service_account": false, "{": false} {
		if got := r.Redacted(text); (got != text) != hidden {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}
