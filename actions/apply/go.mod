module github.com/terraform-gitops/gitops/actions/apply

go 1.26.0

require github.com/terraform-gitops/gitops/shared v0.0.0

replace github.com/terraform-gitops/gitops/shared => ../../shared
