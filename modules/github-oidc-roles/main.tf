locals {
  issuer       = trimprefix(var.issuer_url, "https://")
  provider_arn = var.create_oidc_provider ? one(aws_iam_openid_connect_provider.this[*].arn) : var.oidc_provider_arn

  # An environment can be used on any branch, unless its settings on GitHub say otherwise.
  # So the appliers' tokens must be of the default branch, too: AWS reads that claim of
  # github.com's tokens only.
  on_github = var.issuer_url == "https://token.actions.githubusercontent.com"

  # A token's subject is the repository, in one of two forms, and where in it the
  # workflow runs:
  # https://docs.github.com/actions/reference/security/oidc#example-subject-claims
  # A pull request's own branch is among those that plan: `replan` starts the plan workflow
  # there. Whoever can push a branch can open a pull request, so this gives nobody more.
  named = [for r in var.repositories : merge(r, {
    subject = r.id == null ? "repo:${r.name}" : format("repo:%s@%d/%s@%d", split("/", r.name)[0], r.owner_id, split("/", r.name)[1], r.id)
  })]
  repositories = [for r in local.named : {
    plan  = [for s in coalesce(r.plan, ["pull_request", "ref:refs/heads/*"]) : "${r.subject}:${s}"]
    apply = [for s in coalesce(r.apply, ["environment:production"]) : "${r.subject}:${s}"]
    drift = [for s in coalesce(r.drift, ["ref:refs/heads/${r.default_branch}"]) : "${r.subject}:${s}"]
    ref   = local.on_github ? { ref = ["refs/heads/${r.default_branch}"] } : {}
  }]

  # What a role trusts, a statement for each repository: in one statement for several, the
  # default branch of one would do for the environment of another.
  plan_trust  = [for r in local.repositories : { subjects = r.plan, claims = {} }]
  drift_trust = [for r in local.repositories : { subjects = r.drift, claims = {} }]
  apply_trust = [for r in local.repositories : { subjects = r.apply, claims = r.ref }]

  # The repository as the beginning of a key in the plan store: in lower case, a
  # dot at either end of the name as %2E. See shared/planstore/README.md, "Names".
  keys = distinct([for r in var.repositories :
    replace(replace(lower(r.name), "/\\.$/", "%2E"), "/.", "/%2E")
  ])

  roles = merge(
    var.create && var.storage != null ? {
      plan_storage = {
        description = "Adds planfiles and plan records"
        trust       = local.plan_trust
        claims      = var.claims.plan_storage
      }
      apply_storage = {
        description = "Reads planfiles and plan records, writes claims and errored states"
        trust       = local.apply_trust
        claims      = var.claims.apply_storage
      }
      drift_storage = {
        description = "Adds drift plans and their results, links them to issues, reads what is to be applied"
        trust       = local.drift_trust
        claims      = var.claims.drift_storage
      }
    } : {},
    var.create && var.create_terraform_roles ? {
      plan = {
        description = "Terraform plans with it: code that nobody has reviewed yet"
        trust       = local.plan_trust
        claims      = var.claims.plan
      }
      apply = {
        description = "Terraform applies with it"
        trust       = local.apply_trust
        claims      = var.claims.apply
      }
    } : {},
  )
  role_arns = { for role, r in aws_iam_role.this : role => r.arn }

  # Terraform's roles in the account that has the plan store.
  no_plan_store = toset(var.storage == null ? [] : setintersection(["plan", "apply"], keys(local.roles)))
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

  dynamic "statement" {
    for_each = each.value.trust

    content {
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
        test     = anytrue([for s in statement.value.subjects : endswith(s, "*")]) ? "StringLike" : "StringEquals"
        variable = "${local.issuer}:sub"
        values   = statement.value.subjects
      }

      dynamic "condition" {
        for_each = merge(each.value.claims, statement.value.claims)

        content {
          test     = "StringEquals"
          variable = "${local.issuer}:${condition.key}"
          values   = condition.value
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.create_oidc_provider != (var.oidc_provider_arn != null)
      error_message = "Either make the identity provider (create_oidc_provider = true, without oidc_provider_arn), or give the one that is there (create_oidc_provider = false, oidc_provider_arn = its ARN)."
    }
    precondition {
      condition     = local.on_github || alltrue([for r in var.repositories : r.apply != null])
      error_message = "AWS reads no branch from the tokens of this issuer_url: say what may apply (repositories, apply), and limit an environment that you name there to the default branch, in its settings on GitHub."
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
      condition     = length(jsonencode(jsondecode(data.aws_iam_policy_document.trust[each.key].json))) <= 2048
      error_message = "The role's trust policy has more than the 2,048 characters that IAM takes (unless your account's quota is another), since each repository has a statement of its own: list fewer repositories or subjects, and call the module once more for the others."
    }
  }
}

# Terraform's code, which may be anybody's in a pull request, has no business with the plan
# store, whatever the policies below allow: nor with the bucket's policy, or a copy of the
# table that a backup, an export or a stream would be.
data "aws_iam_policy_document" "no_plan_store" {
  count = length(local.no_plan_store) > 0 ? 1 : 0

  statement {
    sid       = "NoBucket"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arn, "${local.bucket_arn}/*"]
  }

  statement {
    sid       = "NoTable"
    effect    = "Deny"
    actions   = ["dynamodb:*"]
    resources = [var.storage.table_arn, "${var.storage.table_arn}/*"]
  }

  statement {
    sid       = "NoDecryption"
    effect    = "Deny"
    actions   = ["kms:Decrypt"]
    resources = [var.storage.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "terraform" {
  for_each = local.no_plan_store

  name   = "no-plan-store"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.no_plan_store[0].json
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
