# Everything that the actions need in one AWS account: see "From an empty account to a
# planned pull request" in the README of modules.

terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50, < 7.0"
    }
  }

  # Store this state where only people who may change the roles can read it.
  # backend "s3" {}
}

provider "aws" {
  region = var.region
}

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

  plan_policy_arns  = merge({ state = aws_iam_policy.state["plan"].arn }, var.plan_policy_arns)
  apply_policy_arns = merge({ state = aws_iam_policy.state["apply"].arn }, var.apply_policy_arns)

  create_oidc_provider = var.oidc_provider_arn == null
  oidc_provider_arn    = var.oidc_provider_arn

  tags = var.tags
}
