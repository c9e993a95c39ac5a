"""What can go wrong with buckets and files."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, NotFound, Problem, Unauthorized


class BucketNotFound(NotFound, type="storage_bucket_not_found"):
    """The bucket `{id}` was not found."""


class BucketAlreadyExists(Conflict, type="storage_bucket_already_exists"):
    """There is a bucket with the id `{id}` already. Choose another id."""


class FileNotFound(NotFound, type="storage_file_not_found"):
    """The file `{id}` was not found."""


class FileAlreadyExists(Conflict, type="storage_file_already_exists"):
    """There is another file with the id `{id}` already. Choose another id, or delete that file first."""


class FileTooLarge(BadRequest, type="storage_invalid_file_size"):
    """The file has {size} bytes, and this bucket takes files of at most {limit}."""


class FileTypeUnsupported(BadRequest, type="storage_file_type_unsupported"):
    """This bucket takes files whose names end in {extensions} only."""


class InvalidContentRange(BadRequest, type="storage_invalid_content_range"):
    """Invalid Content-Range: {reason}"""


class InvalidUploadId(BadRequest, type="storage_invalid_appwrite_id"):
    """A part after the first has to name its file in X-Appwrite-ID, as the answer to the first part did."""


class PartsLost(Problem, type="storage_invalid_file", status=503):
    """The server stopped while this file came, and lost parts of it. Upload it again."""


class RangeNotSatisfiable(Problem, type="storage_invalid_range", status=416):
    """The range cannot be had of this file of {size} bytes. Ask for one range, such as `bytes=0-99`."""


class FileInfected(Forbidden, type="storage_invalid_file"):
    """The virus scanner found something in this file. It was not kept."""


class FileUnscannable(Forbidden, type="storage_invalid_file"):
    """The file is larger than the virus scanner takes, so that it was not kept. Send a smaller one, or let
    the operator raise StreamMaxLength of clamd."""


class ScannerUnreachable(Problem, type="general_unknown", status=503):
    """The virus scanner does not answer, and this bucket takes nothing unscanned. Try again in a moment."""


class FileKeyMissing(Problem, type="general_server_error", status=500):
    """The file is encrypted with the key `{key}`, which this server does not have. Let its operator add it to
    FREEHOLD_STORAGE_KEYS, or restore the FREEHOLD_SECRET that the file was uploaded under."""


class ImageNotCleaned(BadRequest, type="storage_file_type_unsupported"):
    """This bucket takes images without their metadata only, and this one could not be rid of it: it is
    broken, has too many pixels, or more than {most} bytes."""


class TokenNotFound(NotFound, type="token_not_found"):
    """The token `{id}` was not found."""


class TokenExpired(Unauthorized, type="token_expired"):
    """This link to the file has expired. Ask for a new one."""


class TransformationsDisabled(Forbidden, type="storage_bucket_transformations_disabled"):
    """Files of this bucket are shown as they are. Switch its `transformations` on to have previews."""


class ImageNotShown(BadRequest, type="storage_image_resolution_exceeded"):
    """This image cannot be shown in another size: it has more than {most} pixels, or takes too long."""


class TooManyPreviews(Problem, type="general_unknown", status=503):
    """This server is busy making previews. Try again in a moment."""
