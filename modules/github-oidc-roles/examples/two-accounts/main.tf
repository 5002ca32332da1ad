# Two AWS accounts, development and production, and one plan store, in production. Each account
# has its own roles for Terraform, which trust its own GitHub environment, and its own bucket for
# states. For more accounts, add a provider and a call of ./account for each.

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

  assume_role {
    role_arn = var.accounts.production.admin_role_arn
  }
}

provider "aws" {
  alias  = "development"
  region = var.region

  assume_role {
    role_arn = var.accounts.development.admin_role_arn
  }
}

module "production" {
  source = "./account"

  name         = "${var.name}-production"
  repository   = var.repository
  settings     = var.accounts.production
  other_states = module.development.readable_states
  readers      = module.development.role_arns
  tags         = var.tags
}

module "development" {
  source    = "./account"
  providers = { aws = aws.development }

  name         = "${var.name}-development"
  repository   = var.repository
  settings     = var.accounts.development
  other_states = module.production.readable_states
  readers      = module.production.role_arns
  tags         = var.tags
}

# The plan store, for both accounts: see the module's README for what each of its roles can do.
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

module "storage_roles" {
  source = "../.."

  name         = var.name
  repositories = [merge(var.repository, { apply = [for a in var.accounts : "environment:${a.environment}"] })]

  storage = {
    bucket_arn  = module.bucket.arn
    kms_key_arn = module.bucket.kms_key_arn
    table_arn   = module.table.arn
  }
  create_terraform_roles = false

  create_oidc_provider = false
  oidc_provider_arn    = module.production.oidc_provider_arn

  tags = var.tags
}
