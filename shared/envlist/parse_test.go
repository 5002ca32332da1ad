package envlist_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":    nil,
		"A=1": {"A=1"},
		"\nA=1\r\n\r\nTF_TOKEN_app-example_com=x=y==\nEMPTY=\nA=2\n": {"A=1", "TF_TOKEN_app-example_com=x=y==", "EMPTY=", "A=2"},
		"KEY<<EOF\n-----BEGIN\n\na=b\nC<<D\n EOF\nEOF\nB=1":          {"KEY=-----BEGIN\n\na=b\nC<<D\n EOF", "B=1"},
		"KEY<<EOF\nEOF": {"KEY="},
		"A=x<<y":        {"A=x<<y"},
	} {
		got, err := envlist.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"A=1\ns3cret":     "line 2 is not NAME=VALUE",
		"s3cret base64==": "line 1 is not",
		"A=-----BEGIN KEY-----\ns3cret==\n-----END KEY-----": "line 1 is not",
		"A B=s3cret":                 "line 1 is not",
		"=s3cret":                    "line 1 is not",
		"\nKEY<<EOF\ns3cret\nEOF ":   "line 2 begins a value of several lines, and no line ends it",
		"KEY<<\ns3cret\n":            "line 1 begins",
		"A=s3cret\x00":               "NUL",
		"s3cret<<EOF x\ny\nEOF x\nz": "line 4 is not",
	} {
		_, err := envlist.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
