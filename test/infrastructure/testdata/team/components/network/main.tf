resource "aws_vpc" "main" {
  cidr_block = var.cidr
  tags       = { Name = var.name }
}

resource "aws_subnet" "zone" {
  for_each          = toset(var.zones)
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(var.cidr, 8, index(["a", "b", "c"], each.key))
  availability_zone = "us-east-1${each.key}"
}

resource "aws_security_group" "web" {
  name   = "${var.name}-web"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

module "service" {
  source   = "../../modules/service"
  for_each = var.services
  name     = "${var.name}-${each.key}"
  days     = each.value.days
}

resource "aws_iam_role" "app" {
  name = "${var.name}-app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

# It shows up in the role's own inline_policy, too.
resource "aws_iam_role_policy" "app" {
  name = "logs"
  role = aws_iam_role.app.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = [for s in module.service : s.arn] }]
  })
}

# Its value is in the state, and that of the next one is not. Each story gets the variable from the kit.
resource "aws_ssm_parameter" "credential" {
  name  = "/${var.name}/credential"
  type  = "SecureString"
  value = var.credential
}

resource "aws_ssm_parameter" "write_only" {
  name             = "/${var.name}/write-only"
  type             = "SecureString"
  value_wo         = "wr1te-only-value"
  value_wo_version = 1
}

# Others set its value.
resource "aws_ssm_parameter" "release" {
  name  = "/${var.name}/release"
  type  = "String"
  value = "none"
  lifecycle {
    ignore_changes = [value]
  }
}

output "vpc" {
  value = aws_vpc.main.id
}

output "logs" {
  value = { for name, s in module.service : name => s.arn }
}
