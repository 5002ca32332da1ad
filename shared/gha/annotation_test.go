package gha_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

func TestAnnotationArrivesAsWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		annotation gha.Annotation
		line       string
	}{
		"message only": {
			gha.Annotation{Message: "no plan for commit 4f1c2d9: plan again, please"},
			"::error::no plan for commit 4f1c2d9: plan again, please\n",
		},
		"everything, in a fixed order": {
			gha.Annotation{Title: "Plan: a, b", File: "a:b,c/main.tf", Line: 3, EndLine: 5, Column: 7, Message: "100%\r\nsure %0A"},
			"::error title=Plan%3A a%2C b,file=a%3Ab%2Cc/main.tf,line=3,endLine=5::100%25%0D%0Asure %250A\n",
		},
		"a column on one line": {
			gha.Annotation{File: "main.tf", Line: 3, EndLine: 3, Column: 7, Message: "m"},
			"::error file=main.tf,line=3,col=7::m\n",
		},
		"a line without a file is no place": {
			gha.Annotation{Line: 3, Message: "m"},
			"::error::m\n",
		},
		"marks of the log's page are taken apart": {
			gha.Annotation{Title: "##[error]t", Message: "a\n##[endgroup]b"},
			"::error title=## [error]t::a%0A## [endgroup]b\n",
		},
		"a title is one line": {
			gha.Annotation{Title: "a\n\x1b[31m\u2028::b", Message: "m"},
			"::error title=a [31m %3A%3Ab::m\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			gha.New(nil, &out).Error(test.annotation)
			if diff := cmp.Diff(test.line, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnnotationLevels(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New(nil, &out)
	r.Error(gha.Annotation{Message: "e"})
	r.Warning(gha.Annotation{Message: "w"})
	r.Notice(gha.Annotation{Message: "n"})
	if diff := cmp.Diff("::error::e\n::warning::w\n::notice::n\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestLongMessageIsCutWhereTheRunnerWould(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		message string
		cut     bool
	}{
		"at the limit":                    {strings.Repeat("a", 4096), false},
		"over it":                         {strings.Repeat("a", 4097), true},
		"multi-byte at the limit":         {strings.Repeat("ü", 4096), false},
		"multi-byte over it":              {strings.Repeat("ü", 4097), true},
		"surrogate pairs at the limit":    {strings.Repeat("𝄞", 2048), false},
		"surrogate pairs over it":         {strings.Repeat("𝄞", 2049), true},
		"a pair that straddles the limit": {strings.Repeat("a", 4095) + "𝄞", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			gha.New(nil, &out).Error(gha.Annotation{Message: test.message})
			got := run(out.String()).commands[0].data
			if !test.cut && got != test.message {
				t.Error("the message was changed")
			}
			if test.cut && (!strings.HasSuffix(got, "…") || !strings.HasPrefix(test.message, strings.TrimSuffix(got, "…"))) {
				t.Errorf("the message was not cut as it should: %d bytes", len(got))
			}
			if units := len(utf16.Encode([]rune(got))); units > 4096 || units < 4095 && test.cut {
				t.Errorf("%d UTF-16 units", units)
			}
		})
	}
}

func FuzzAnnotation(f *testing.F) {
	f.Add("a title", "main.tf", "a message")
	f.Add("a::error::b", "c,line=1::x", "x\n::error::y\r::set-output name=a::b")
	f.Add("##[error]a", "%0A%3A%2C%25", "##[add-mask]x %0A::warning::y %25")
	f.Add("=", "=a", "::::")
	f.Add("a\u2028b\u0085c", "\u200b::", "\x1b[31mred\x1b[0m\x00")
	f.Fuzz(func(t *testing.T, title, file, message string) {
		var out strings.Builder
		gha.New(nil, &out).Warning(gha.Annotation{Title: title, File: file, Line: 7, Message: message})
		seen := run(out.String())
		if len(seen.commands) != 1 || len(seen.shown) != 0 {
			t.Fatalf("one annotation became %d commands and %d lines: %q", len(seen.commands), len(seen.shown), out.String())
		}
		got := seen.commands[0]
		if got.name != "warning" {
			t.Errorf("a warning became %q", got.name)
		}
		message = strings.ReplaceAll(message, "##[", "## [")
		if len(utf16.Encode([]rune(message))) <= 4096 && got.data != message {
			t.Errorf("message %q became %q", message, got.data)
		}
		if got.properties["file"] != file {
			t.Errorf("file %q became %q", file, got.properties["file"])
		}
		for key := range got.properties {
			if key != "title" && key != "file" && key != "line" {
				t.Errorf("there is a property %q", key)
			}
		}
	})
}
