# What one account has: the roles that Terraform plans and applies with, and a bucket for states.

terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50, < 7.0"
    }
  }
}

module "roles" {
  source = "../../.."

  name         = var.name
  repositories = [merge(var.repository, { apply = ["environment:${var.settings.environment}"] })]

  plan_policy_arns  = merge({ state = aws_iam_policy.state["plan"].arn }, var.settings.plan_policy_arns)
  apply_policy_arns = merge({ state = aws_iam_policy.state["apply"].arn }, var.settings.apply_policy_arns)

  tags = var.tags
}

# A plan reads the state, including its secrets, and locks it. So the roles can use the states of
# the listed stacks only, and read those that the other account lets them.
data "aws_iam_policy_document" "state" {
  for_each = toset(["plan", "apply"])

  statement {
    sid       = "FindStates"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = local.states
  }

  statement {
    sid       = "LockStates"
    actions   = ["s3:PutObject"]
    resources = [for s in local.states : "${s}.tflock"]

    condition {
      test     = "StringEquals"
      variable = "s3:if-none-match"
      values   = ["*"]
    }
  }

  statement {
    sid       = "UnlockStates"
    actions   = ["s3:DeleteObject"]
    resources = [for s in local.states : "${s}.tflock"]
  }

  # Older versions of a state can be restored, whatever other policies are attached.
  statement {
    sid       = "KeepOldStates"
    effect    = "Deny"
    actions   = ["s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.state.arn]
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? ["WriteStates"] : []

    content {
      sid       = statement.value
      actions   = ["s3:PutObject"]
      resources = [for s in local.states : "${s}.tfstate"]
    }
  }

  dynamic "statement" {
    for_each = length(var.other_states.objects) > 0 ? ["ReadStatesOfTheOtherAccount"] : []

    content {
      sid       = statement.value
      actions   = ["s3:GetObject"]
      resources = var.other_states.objects
    }
  }

  dynamic "statement" {
    for_each = length(var.other_states.objects) > 0 ? ["DecryptStatesOfTheOtherAccount"] : []

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = [var.other_states.kms_key_arn]
    }
  }
}

locals {
  states = [for stack in var.settings.stacks : "${aws_s3_bucket.state.arn}/${stack}/*"]
}

resource "aws_iam_policy" "state" {
  for_each = data.aws_iam_policy_document.state

  name   = "${var.name}-${each.key}-state"
  policy = each.value.json
  tags   = var.tags
}
