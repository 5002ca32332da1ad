locals {
  issuer       = trimprefix(var.issuer_url, "https://")
  provider_arn = var.create_oidc_provider ? one(aws_iam_openid_connect_provider.this[*].arn) : var.oidc_provider_arn

  # A token's subject is the repository, in one of two forms, and where in it the
  # workflow runs:
  # https://docs.github.com/actions/reference/security/oidc#example-subject-claims
  repositories = [for r in var.repositories : {
    subject = r.id == null ? "repo:${r.name}" : format("repo:%s@%d/%s@%d", split("/", r.name)[0], r.owner_id, split("/", r.name)[1], r.id)
    plan    = coalesce(r.plan, ["pull_request", "ref:refs/heads/${r.default_branch}"])
    apply   = coalesce(r.apply, ["ref:refs/heads/${r.default_branch}"])
    drift   = coalesce(r.drift, ["ref:refs/heads/${r.default_branch}"])
  }]
  plan_subjects  = distinct(flatten([for r in local.repositories : [for s in r.plan : "${r.subject}:${s}"]]))
  drift_subjects = distinct(flatten([for r in local.repositories : [for s in r.drift : "${r.subject}:${s}"]]))
  apply_subjects = distinct(flatten([for r in local.repositories : [for s in r.apply : "${r.subject}:${s}"]]))

  # The repository as the beginning of a key in the plan store: in lower case, a
  # dot at either end of the name as %2E. See shared/planstore/README.md, "Names".
  keys = distinct([for r in var.repositories :
    replace(replace(lower(r.name), "/\\.$/", "%2E"), "/.", "/%2E")
  ])

  roles = merge(
    var.create && var.storage != null ? {
      plan_storage = {
        description = "Adds planfiles and plan records"
        subjects    = local.plan_subjects
        claims      = var.claims.plan_storage
      }
      apply_storage = {
        description = "Reads planfiles and plan records, writes claims and errored states"
        subjects    = local.apply_subjects
        claims      = var.claims.apply_storage
      }
      drift_storage = {
        description = "Reads drift results, writes the links to drift issues"
        subjects    = local.drift_subjects
        claims      = var.claims.drift_storage
      }
    } : {},
    var.create && var.create_terraform_roles ? {
      plan = {
        description = "Terraform plans with it: code that nobody has reviewed yet"
        subjects    = local.plan_subjects
        claims      = var.claims.plan
      }
      apply = {
        description = "Terraform applies with it"
        subjects    = local.apply_subjects
        claims      = var.claims.apply
      }
    } : {},
  )
  role_arns = { for role, r in aws_iam_role.this : role => r.arn }
}

resource "aws_iam_openid_connect_provider" "this" {
  count = var.create && var.create_oidc_provider ? 1 : 0

  url            = var.issuer_url
  client_id_list = [var.audience]

  # AWS checks GitHub's certificate by its own list of authorities, and looks at
  # this only if it had to fall back: then nothing must fit. Provider versions
  # before 5.81 want one.
  thumbprint_list = ["ffffffffffffffffffffffffffffffffffffffff"]

  tags = var.tags
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles

  statement {
    sid     = "GitHub"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = [var.audience]
    }

    condition {
      test     = anytrue([for s in each.value.subjects : endswith(s, "*")]) ? "StringLike" : "StringEquals"
      variable = "${local.issuer}:sub"
      values   = each.value.subjects
    }

    dynamic "condition" {
      for_each = each.value.claims

      content {
        test     = anytrue([for v in condition.value : endswith(v, "*")]) ? "StringLike" : "StringEquals"
        variable = "${local.issuer}:${condition.key}"
        values   = condition.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.create_oidc_provider != (var.oidc_provider_arn != null)
      error_message = "Either make the identity provider (create_oidc_provider = true, without oidc_provider_arn), or give the one that is there (create_oidc_provider = false, oidc_provider_arn = its ARN)."
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${replace(each.key, "_", "-")}"
  description          = each.value.description
  path                 = var.path
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  tags                 = var.tags

  lifecycle {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    precondition {
      condition     = length(jsonencode(jsondecode(data.aws_iam_policy_document.trust[each.key].json))) <= 4096
      error_message = "The role's trust policy has more than the 4,096 characters that IAM takes: list fewer repositories or subjects, and call the module once more for the others."
    }
  }
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = contains(keys(local.roles), "plan") ? var.plan_policy_arns : {}

  role       = aws_iam_role.this["plan"].name
  policy_arn = each.value
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = contains(keys(local.roles), "apply") ? var.apply_policy_arns : {}

  role       = aws_iam_role.this["apply"].name
  policy_arn = each.value
}
