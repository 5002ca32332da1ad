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
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
)

var update = flag.Bool("update", false, "make the documentation's pictures")

//go:embed picture.js
var pictureJS string

// picture is one of the documentation's, in docs/images.
type picture struct {
	markdown string
	dark     bool
	width    int // of the column, in CSS pixels: desk or phone
	height   int // at most
	scale    int // pixels in a CSS pixel
}

const (
	desk  = 1012 // GitHub's column
	phone = 390
)

func pictures(t *testing.T) map[string]picture {
	t.Helper()
	reports := golden(t)
	return map[string]picture{
		"plan.png":          {markdown: reports["plan-replace"], width: desk, height: 1000, scale: 1},
		"plan-phone.png":    {markdown: reports["plan-replace"], dark: true, width: phone, height: 690, scale: 2},
		"many.png":          {markdown: reports["many-planned"], width: desk, height: 1000, scale: 1},
		"apply-refused.png": {markdown: reports["apply-refused"], width: desk, height: 1000, scale: 1},
		"drift-issue.png":   {markdown: driftIssue(t, drifted("network", "acme-ue2-dev", smallDrift())), width: desk, height: 1200, scale: 1},
	}
}

// smallDrift is the report of what somebody changed by hand.
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
	return report.Drift{Drifted: true, Changes: &c}.Section(planstore.MaxDriftReport)
}

// take has the browser show the picture's page, or what of it fits the height.
func (p picture) take(t *testing.T) []byte {
	t.Helper()
	html, err := pages(t.Context(), root(t), []string{p.markdown})
	if err != nil {
		t.Fatal(err)
	}
	theme, background := "light", "#ffffff"
	if p.dark {
		theme, background = "dark", "#0d1117"
	}
	style, err := os.ReadFile(filepath.Join(root(t), "test/npm/node_modules/github-markdown-css/github-markdown-"+theme+".css"))
	if err != nil {
		t.Fatal(err)
	}
	padding := 32
	if p.width == phone {
		padding = 16
	}
	page := fmt.Sprintf("<!DOCTYPE html><meta charset=utf-8><style>%s body { margin: 0; background: %s } article { box-sizing: border-box; width: %dpx; padding: %dpx }</style>"+
		"<article class=markdown-body>%s</article><script>%s</script>", style, background, p.width, padding, html[0].Page, pictureJS)
	file := filepath.Join(t.TempDir(), "page.png")
	// A window has at least 500 pixels, whatever it is asked for.
	if _, err := browse(t.Context(), page, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", max(500, p.width), p.height), fmt.Sprintf("--force-device-scale-factor=%d", p.scale)); err != nil {
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
	// Not through a line of text, and without what is empty below the page.
	bottom := shot.Bounds().Dy()
	for bottom > 0 && !blank(shot, bottom-1) {
		bottom--
	}
	for bottom > 0 && blank(shot, bottom-1) {
		bottom--
	}
	cut := image.NewRGBA(image.Rect(0, 0, p.width*p.scale, bottom+padding*p.scale))
	draw.Draw(cut, cut.Bounds(), image.NewUniform(shot.At(0, 0)), image.Point{}, draw.Src)
	draw.Draw(cut, image.Rect(0, 0, cut.Rect.Dx(), bottom), shot, image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, cut); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// blank says whether a row of the picture has one colour only.
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
	for name, p := range pictures(t) {
		got := p.take(t)
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
		if is.Width != p.width*p.scale || len(kept) > most {
			t.Errorf("%s is %d pixels wide and has %d bytes: make it anew with -update", name, is.Width, len(kept))
		}
	}
}
