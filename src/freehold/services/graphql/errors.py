"""What can be wrong with a GraphQL request, before and while its documents are run."""

from __future__ import annotations

from freehold.errors import BadRequest, Problem, Unauthorized


class NoQuery(BadRequest, type="graphql_no_query"):
    """There is no GraphQL document in the request. Send it as `query`."""


class TooManyQueries(BadRequest, type="graphql_too_many_queries"):
    """A request takes at most {limit} GraphQL documents. Send fewer."""


class ReadOnly(Problem, type="graphql_method_unsupported", status=405):
    """What is asked for by GET may only read. Send a mutation by POST."""


class UnsupportedContentType(BadRequest, type="general_bad_request"):
    """Send the GraphQL document as `application/json` or as `application/graphql`."""


class InvalidDocument(BadRequest, type="general_bad_request"):
    """{reason}"""


class TooComplex(BadRequest, type="general_bad_request"):
    """The request asks for more than {limit} fields, counting fragments wherever they are used."""


class TooDeep(BadRequest, type="general_bad_request"):
    """The document is nested more than {limit} fields deep."""


class TooLong(BadRequest, type="general_bad_request"):
    """The documents of a request may have {limit} characters. Send what they are about in `variables`."""


class AnswerTooLarge(BadRequest, type="general_bad_request"):
    """The answer is larger than one request may ask for. Ask for fewer objects, or fewer fields of each."""


class IntrospectionClosed(Unauthorized, type="general_unauthorized_scope"):
    """The schema is shown to API keys and to the console only."""
