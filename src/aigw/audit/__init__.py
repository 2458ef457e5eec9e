"""The audit: a record of each call and of what was decided about it, in a file that shows whether it was changed."""

from aigw.audit.chain import Flaw, Verification, verify
from aigw.audit.file import FileAudit
from aigw.audit.log import AuditLog
from aigw.audit.record import AuditRecord

__all__ = ["AuditLog", "AuditRecord", "FileAudit", "Flaw", "Verification", "verify"]
