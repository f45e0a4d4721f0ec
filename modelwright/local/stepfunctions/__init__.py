"""Step Functions in the local cloud: moto's interpreter of the Amazon States Language, put right at its seams."""

from modelwright.local.stepfunctions.imports import keep_batch_out

keep_batch_out()
