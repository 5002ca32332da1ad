package render

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

var update = flag.Bool("update", false, "make the documentation's pictures")

//go:embed picture.js
var pictureJS string

// picture is one of the documentation's, in docs/images.
type picture struct {
	markdown string
	height   int // at most, in pixels
}

// column is the width of GitHub's text column, in pixels.
const column = 1012

func pictures(t *testing.T) map[string]picture {
	t.Helper()
	reports := golden(t)
	return map[string]picture{
		"plan.png":          {reports["plan-replace"], 1000},
		"many.png":          {reports["many-planned"], 1000},
		"apply-refused.png": {reports["apply-refused"], 1000},
		"drift-issue.png":   {driftIssue(t, drifted("network", "acme-ue2-dev", smallDrift())), 1200},
	}
}

// smallDrift is the report of a small change by hand.
func smallDrift() string {
	raw := func(s string) changes.Value { return changes.Value{Kind: changes.Known, Text: s} }
	const instance = "aws_instance"
	c := changes.Plan{Complete: true, Counts: changes.Counts{Update: 1}, ByType: []changes.TypeCount{{Action: changes.Update, Type: instance, Count: 1}}, Resources: []changes.Resource{{
		Address: instance + ".web", Mode: "managed", Type: instance, Action: changes.Update, Attributes: []changes.Attribute{
			{Path: "instance_type", Old: value("t3.2xlarge"), New: value("t3.large")},
			{Path: "monitoring", Old: raw("false"), New: raw("true")},
			{Path: `tags["Owner"]`, New: value("platform")},
		},
	}}}
	return report.Drift{Drifted: true, Changes: &c}.Section(drift.MaxReport)
}

// take takes a picture of the page, cut to the maximal height.
func (p picture) take(t *testing.T) []byte {
	t.Helper()
	html, err := pages(t.Context(), root(t), []string{p.markdown})
	if err != nil {
		t.Fatal(err)
	}
	style, err := os.ReadFile(filepath.Join(root(t), "test/npm/node_modules/github-markdown-css/github-markdown-light.css"))
	if err != nil {
		t.Fatal(err)
	}
	const padding = 32
	page := fmt.Sprintf("<!DOCTYPE html><meta charset=utf-8><style>%s body { margin: 0; background: #fff } article { box-sizing: border-box; width: %dpx; padding: %dpx }</style>"+
		"<article class=markdown-body>%s</article><script>%s</script>", style, column, padding, html[0].Page, pictureJS)
	file := filepath.Join(t.TempDir(), "page.png")
	if _, err := browse(t.Context(), page, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", column, p.height), "--force-device-scale-factor=1"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shot, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	// Cut between lines of text, and remove the empty part below the page.
	bottom := shot.Bounds().Dy()
	for bottom > 0 && !blank(shot, bottom-1) {
		bottom--
	}
	for bottom > 0 && blank(shot, bottom-1) {
		bottom--
	}
	cut := image.NewRGBA(image.Rect(0, 0, column, bottom+padding))
	draw.Draw(cut, cut.Bounds(), image.NewUniform(shot.At(0, 0)), image.Point{}, draw.Src)
	draw.Draw(cut, image.Rect(0, 0, cut.Rect.Dx(), bottom), shot, image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, cut); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// blank reports whether a row of the picture has only one colour.
func blank(shot image.Image, y int) bool {
	for x := range shot.Bounds().Dx() {
		if shot.At(x, y) != shot.At(0, y) {
			return false
		}
	}
	return true
}

func TestPictures(t *testing.T) {
	t.Parallel()
	const most = 150 << 10 // bytes: they are in every clone
	folder := filepath.Join(root(t), "docs/images")
	all := pictures(t)
	for name, p := range all {
		var got []byte
		if *update || name == "plan.png" { // fonts differ between machines, so pictures are not compared: one shows that they can be made
			got = p.take(t)
		}
		if *update {
			if err := os.WriteFile(filepath.Join(folder, name), got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		is, err := png.DecodeConfig(bytes.NewReader(kept))
		if err != nil {
			t.Fatal(err)
		}
		if is.Width != column || len(kept) > most {
			t.Errorf("%s is %d pixels wide and has %d bytes: make it again with -update", name, is.Width, len(kept))
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	pages := markdownPages(t)
	for _, entry := range entries {
		if _, ok := all[entry.Name()]; !ok {
			t.Errorf("no test makes %s", entry.Name())
		}
		if !strings.Contains(pages, "docs/images/"+entry.Name()+")") {
			t.Errorf("no page shows %s", entry.Name())
		}
	}
}

// markdownPages is the text of the pages that may show a picture.
func markdownPages(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.md", "*/*.md", "*/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(content)
		}
	}
	return all.String()
}

// What pictures say is what the product says.
func TestPicturesSayWhatTheProductSays(t *testing.T) {
	t.Parallel()
	plain := strings.NewReplacer("`", "", "\\", "")
	for text, parts := range map[string][]string{
		golden(t)["apply-refused"]:                                      {apply.PlanMerged, "[" + string(problem.MovedConfiguration) + "](" + problem.MovedConfiguration.URL() + ")"},
		driftIssue(t, drifted("network", "acme-ue2-dev", smallDrift())): {"2026-11-25 05:59 UTC", "30 days"}, // a day, and the default of discard-for
	} {
		for _, part := range parts {
			if !strings.Contains(plain.Replace(text), part) {
				t.Errorf("%s is not in\n%s", part, text)
			}
		}
	}
}
