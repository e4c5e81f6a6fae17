"""The rows of the matrix: what kind of row each id of the schema names. A place without a row fails the suite.

A new field that takes an id gets a row here; what happens when somebody else's id is sent there is then tried by
tests/security/test_matrix.py, for everybody who might send it.
"""

from collections.abc import Mapping
from typing import Any

NODES = ("Bookmark", "Collection", "Tag", "Import", "Task", "Suggestion", "Rule", "Category")
OF_ACCOUNTS = ("User", "UserSession", "ApiKey")
MATRIX: Mapping[str, tuple[str, ...]] = {
    "node.id": (*NODES, *OF_ACCOUNTS),
    "nodes.ids": (*NODES, *OF_ACCOUNTS),
    "bookmark.id": ("Bookmark",),
    "bookmarks.filter.collectionId": ("Collection",),
    "collection.id": ("Collection",),
    "collections.filter.parentId": ("Collection",),
    "tags.filter.parentId": ("Tag",),
    "suggestions.filter.bookmarkId": ("Bookmark",),
    "import.id": ("Import",),
    "previewImport.uploadId": ("Upload",),
    "previewImport.options.parentCollectionId": ("Collection",),
    "tasks.filter.bookmarkId": ("Bookmark",),
    "task.id": ("Task",),
    "createBookmark.input.collectionIds": ("Collection",),
    "updateBookmark.input.id": ("Bookmark",),
    "updateBookmark.input.collectionIds": ("Collection",),
    "deleteBookmarks.input.ids": ("Bookmark",),
    "restoreBookmarks.input.ids": ("Bookmark",),
    "createCollection.input.parentId": ("Collection",),
    "updateCollection.input.id": ("Collection",),
    "moveCollection.input.id": ("Collection",),
    "moveCollection.input.parentId": ("Collection",),
    "deleteCollection.input.id": ("Collection",),
    "addToCollection.input.collectionId": ("Collection",),
    "addToCollection.input.bookmarkIds": ("Bookmark",),
    "removeFromCollection.input.collectionId": ("Collection",),
    "removeFromCollection.input.bookmarkIds": ("Bookmark",),
    "updateTag.input.id": ("Tag",),
    "updateTag.input.parentId": ("Tag",),
    "mergeTags.input.sourceIds": ("Tag",),
    "mergeTags.input.targetId": ("Tag",),
    "deleteTags.input.ids": ("Tag",),
    "acceptSuggestions.input.ids": ("Suggestion",),
    "acceptSuggestions.input.filter.bookmarkId": ("Bookmark",),
    "rejectSuggestions.input.ids": ("Suggestion",),
    "acceptRedirects.input.ids": ("Bookmark",),
    "createRule.input.actions.addCollectionIds": ("Collection",),
    "createRule.input.actions.removeCollectionIds": ("Collection",),
    "updateRule.input.id": ("Rule",),
    "updateRule.input.actions.addCollectionIds": ("Collection",),
    "updateRule.input.actions.removeCollectionIds": ("Collection",),
    "deleteRule.input.id": ("Rule",),
    "runRule.input.id": ("Rule",),
    "startImport.input.uploadId": ("Upload",),
    "startImport.input.options.parentCollectionId": ("Collection",),
    "pauseImport.input.id": ("Import",),
    "resumeImport.input.id": ("Import",),
    "cancelImport.input.id": ("Import",),
    "undoImport.input.id": ("Import",),
    "startWorkflow.input.bookmarkIds": ("Bookmark",),
    "pauseTask.input.id": ("Task",),
    "resumeTask.input.id": ("Task",),
    "cancelTask.input.id": ("Task",),
    "retryTask.input.id": ("Task",),
    "auditLog.filter.actorId": ("User",),
    "auditLog.filter.subjectId": ("User",),
    "disableUser.input.id": ("User",),
    "resetUserTotp.input.id": ("User",),
    "setUserRole.input.id": ("User",),
    "startPasswordReset.input.userId": ("User",),
    "transferBookmarks.input.fromUserId": ("User",),
    "transferBookmarks.input.toUserId": ("User",),
    "updateUser.input.id": ("User",),
    "revokeInvite.input.id": ("Invite",),
    "revokeSession.input.id": ("UserSession",),
    "revokeApiKey.input.id": ("ApiKey",),
    "importProgress.importId": ("Import",),
    "taskUpdated.taskId": ("Task",),
    "Tag.bookmarks.filter.collectionId": ("Collection",),
    "Collection.bookmarks.filter.collectionId": ("Collection",),
}
"""Global ids by place: the kinds of rows that may be named there."""

QUIET = frozenset(
    {
        "disableUser.input.id",  # for administrators only, as all of these
        "resetUserTotp.input.id",
        "setUserRole.input.id",
        "startPasswordReset.input.userId",
        "transferBookmarks.input.fromUserId",
        "transferBookmarks.input.toUserId",
        "updateUser.input.id",
        "revokeInvite.input.id",
        "acceptSuggestions.input.filter.bookmarkId",  # only what stands above a confidence is accepted
        "collections.filter.parentId",  # the collection may have no children
        "tasks.filter.bookmarkId",  # nor the bookmark a task
        "auditLog.filter.actorId",  # for administrators only
        "auditLog.filter.subjectId",
        "previewImport.uploadId",  # the file of the upload is not there
        "previewImport.options.parentCollectionId",
        "startImport.input.uploadId",
        "startImport.input.options.parentCollectionId",
    }
)
"""Places at which a right id may be answered like one that is missing, in the world of the tests."""

FURTHER_DOWN = frozenset(place for place in MATRIX if place[0].isupper())
"""Places below the roots take the same filters as the roots do."""

EXTRA: Mapping[str, Mapping[str, Any]] = {
    "createRule": {"input.actions.addTagNames": ["of-the-matrix"]},
    "mergeTags": {},
}
"""Further arguments that a field needs to be asked for in earnest, by path."""

FOR_ADMINISTRATORS: frozenset[str] = frozenset(
    {
        *("updateUser.input.id (User)", "setUserRole.input.id (User)"),
        *("disableUser.input.id (User)", "resetUserTotp.input.id (User)"),
        *("auditLog.filter.actorId (User)", "auditLog.filter.subjectId (User)"),
        *(f"{place} ({kind})" for place in ("node.id", "nodes.ids") for kind in OF_ACCOUNTS),
        "revokeSession.input.id (UserSession)",
        "revokeApiKey.input.id (ApiKey)",
        "startPasswordReset.input.userId (User)",
        *("transferBookmarks.input.fromUserId (User)", "transferBookmarks.input.toUserId (User)"),
    }
)
"""Places, as `field.path (Kind)`, at which an administrator may name rows of others."""

CHANGED_BY_ADMINISTRATORS = frozenset({"api_keys"})
"""Tables in which they change something there."""
