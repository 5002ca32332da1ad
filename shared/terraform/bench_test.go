package terraform_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

// BenchmarkOverBareTerraform compares init, plan and show with the same commands
// run by hand, for an empty component and a large one.
func BenchmarkOverBareTerraform(b *testing.B) {
	for _, size := range []int{1, 2000} {
		var config strings.Builder
		for i := range size {
			fmt.Fprintf(&config, "resource \"terraform_data\" \"r%d\" {}\n", i)
		}
		dir := terraformtest.RootModule(b, map[string]string{"main.tf": config.String()})
		env := terraformtest.CleanEnv(b)
		out := filepath.Join(b.TempDir(), "planfile")
		b.Run(fmt.Sprintf("%d/bare", size), func(b *testing.B) {
			for b.Loop() {
				for _, args := range [][]string{
					{"init", "-input=false"}, {"plan", "-input=false", "-out=" + out}, {"show", "-json", out},
				} {
					cmd := exec.Command(terraformtest.Program(), args...)
					cmd.Dir, cmd.Env = dir, env
					null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
					if err != nil {
						b.Fatal(err)
					}
					cmd.Stdout = null
					if err := cmd.Run(); err != nil {
						b.Fatal(err)
					}
					null.Close()
				}
			}
		})
		b.Run(fmt.Sprintf("%d/package", size), func(b *testing.B) {
			c := &terraform.CLI{Path: terraformtest.Program(), Dir: dir, Env: env, Log: io.Discard}
			for b.Loop() {
				if _, err := c.Init(b.Context(), terraform.InitOptions{}); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Plan(b.Context(), terraform.PlanOptions{Out: out}); err != nil {
					b.Fatal(err)
				}
				err := c.ShowJSON(b.Context(), out, func(r io.Reader) error {
					_, err := io.Copy(io.Discard, r)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
