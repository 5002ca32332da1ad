# Everything that the actions need in one AWS account: copy this folder, set the
# variables, run `terraform apply`, and paste the output `gitops_yaml` (or
# `atmos_settings`) into your repository.

terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50, < 7.0"
    }
  }

  # Keep this state where only those get who may change the roles.
  # backend "s3" {}
}

provider "aws" {
  region = var.region
}

# In your copy: source = "github.com/OWNER/REPO//modules/s3-bucket?ref=COMMIT"
module "bucket" {
  source = "../../../s3-bucket"

  name = "${var.name}-planfiles"
  tags = var.tags
}

module "table" {
  source = "../../../dynamodb-table"

  name = "${var.name}-plans"
  tags = var.tags
}

module "roles" {
  source = "../.."

  name         = var.name
  repositories = var.repositories
  claims       = var.claims

  storage = {
    bucket_arn  = module.bucket.arn
    kms_key_arn = module.bucket.kms_key_arn
    table_arn   = module.table.arn
  }

  plan_policy_arns  = var.plan_policy_arns
  apply_policy_arns = var.apply_policy_arns

  create_oidc_provider = var.oidc_provider_arn == null
  oidc_provider_arn    = var.oidc_provider_arn

  tags = var.tags
}
