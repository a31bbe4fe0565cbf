using Supervisor.Control;

namespace Supervisor.Daemon.Control;

/// <summary>A parameter in the query of a request.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type"><c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
/// <param name="Says">What it means, as one sentence without a full stop.</param>
internal sealed record RouteParameter(string Name, string Type, string Says)
{
    /// <summary>Its values; empty if any is valid.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>Whether a request without it is refused.</summary>
    public bool IsRequired { get; init; }
}

/// <summary>What a request is answered with.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Media">The media type.</param>
/// <param name="Document">The type of the document, or of each document of a stream; null for text.</param>
/// <param name="Says">When, as one sentence without a full stop.</param>
internal sealed record RouteAnswer(int Status, string Media, Type? Document, string Says)
{
    /// <summary>Whether the answer is an array of the documents.</summary>
    public bool IsArray { get; init; }
}

/// <summary>A resource of the control interface. The routing and <c>GET /openapi.json</c> are made from these.</summary>
/// <param name="Method"><c>GET</c>, which answers HEAD too, or <c>POST</c>.</param>
/// <param name="Pattern">The path; <c>{name}</c> is a service or a listener.</param>
/// <param name="Says">What the request does, as one sentence without a full stop.</param>
/// <param name="Parameters">Its parameters.</param>
/// <param name="Answers">What it is answered with, besides problem documents.</param>
/// <param name="Problems">The statuses of its problem documents.</param>
internal sealed record ControlRoute(
    string Method, string Pattern, string Says, IReadOnlyList<RouteParameter> Parameters, IReadOnlyList<RouteAnswer> Answers,
    IReadOnlyList<int> Problems)
{
    /// <summary>The type of the problem document with a status.</summary>
    public static Type Problem(int status) => status == 422 ? typeof(ReloadDocument) : typeof(ProblemDocument);
}
