package gha_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

func TestInputsAreRead(t *testing.T) {
	t.Parallel()
	in := gha.New([]string{
		"INPUT_PLAN-STORAGE= FALSE\n",
		"INPUT_METADATA-RETENTION-DAYS=30",
		"INPUT_VERIFICATION=none",
		"INPUT_EMPTY=",
		"INPUT_PLAN-STORAGE=the second one does not count",
	}, io.Discard).Inputs()
	type values struct {
		Storage, Debug bool
		Days, Empty    int
		Verification   string
		Mode           string
	}
	got := values{
		Storage:      in.Bool("plan-storage", true),
		Debug:        in.Bool("debug", true),
		Days:         in.Int("metadata-retention-days", 90, 1, 3650),
		Empty:        in.Int("empty", 7, 1, 9),
		Verification: in.Choice("verification", "strict", "replan", "none"),
		Mode:         in.Choice("mode", "a", "b"),
	}
	want := values{false, true, 30, 7, "none", "a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := in.Err(); err != nil {
		t.Error(err)
	}
}

func TestInputsThatAreWrongAreAllNamedOnOneLine(t *testing.T) {
	t.Parallel()
	in := gha.New([]string{
		"INPUT_VERIFICATION=foo\nbar",
		"INPUT_DEBUG=yes",
		"INPUT_METADATA-RETENTION-DAYS=0",
		"INPUT_LONG=" + strings.Repeat("x", 200),
	}, io.Discard).Inputs()
	in.Choice("verification", "strict", "replan", "none")
	in.Bool("debug", false)
	in.Int("metadata-retention-days", 90, 1, 3650)
	in.Choice("long", "a", "b")
	want := "input `verification` is \"foo\\nbar\": choose strict, replan or none; " +
		"input `debug` is \"yes\": choose true or false; " +
		"input `metadata-retention-days` is \"0\": give a whole number from 1 to 3650; " +
		"input `long` is \"" + strings.Repeat("x", 80) + "\"…: choose a or b"
	err := in.Err()
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}
