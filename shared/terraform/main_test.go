package terraform_test

import (
	"os"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

func TestMain(m *testing.M) {
	if status, kept := keeper.Keep(os.Args, os.Environ()); kept {
		os.Exit(status)
	}
	if dir := os.Getenv(orphanVariable); dir != "" {
		applyUntilKilled(dir)
	}
	os.Exit(m.Run())
}
