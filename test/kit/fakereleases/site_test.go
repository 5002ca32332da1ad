package fakereleases_test

import (
	"testing"

	"github.com/opentofu/tofudl"

	"github.com/terraform-gitops/gitops/test/kit/fakereleases"
)

// OpenTofu's own library finds, verifies and unpacks what the site has.
func TestTheSiteIsLaidOutAsOpenTofus(t *testing.T) {
	t.Parallel()
	_, site := fakereleases.NewOpenTofu(t, "1.9.1", "1.10.7", "1.11.0-rc1")
	d, err := tofudl.New(tofudl.ConfigAPIURL(site.List), tofudl.ConfigDownloadMirrorURLTemplate(site.Files), tofudl.ConfigGPGKey(site.PublicKey), tofudl.ConfigHTTPClient(site.Client))
	if err != nil {
		t.Fatal(err)
	}
	program, err := d.Download(t.Context(), tofudl.DownloadOptMinimumStability(tofudl.StabilityStable))
	if err != nil || string(program) != fakereleases.OpenTofuScript("1.10.7") {
		t.Errorf("%v: %q", err, program)
	}
}
