using System.Text;
using Microsoft.AspNetCore.Http;
using Supervisor.Core;

namespace Supervisor.Daemon.Web;

/// <summary>
/// The web page: one document with its style and its program inside, so it loads nothing else. The Content-Security-Policy allows exactly
/// these two, by their hashes, and requests to this server.
/// </summary>
internal sealed class WebPage
{
    /// <summary>The parts of the program, which are one module in this order. Their sources are in the folder Page.</summary>
    private static readonly string[] Scripts =
        ["dom.js", "words.js", "model.js", "chart.js", "summary.js", "services.js", "listeners.js", "events.js", "main.js"];

    private static readonly Lazy<WebPage> Made = new(() => new WebPage());

    private readonly byte[] _html;
    private readonly string _policy;
    private readonly string _tag;

    private WebPage()
    {
        var style = Read("page.css");
        var script = string.Concat(Scripts.Select(Read));
        var html = Read("page.html").Replace("/* page.css */", style, StringComparison.Ordinal)
            .Replace("/* page.js */", script, StringComparison.Ordinal);
        _html = Encoding.UTF8.GetBytes(html);
        _tag = $"\"{Hash(html)}\"";
        _policy = $"default-src 'none'; script-src 'sha256-{Hash(script)}'; style-src 'sha256-{Hash(style)}'; connect-src 'self'; "
            + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    }

    /// <summary>Answers with the page.</summary>
    public static async Task AnswerAsync(HttpContext context)
    {
        var page = Made.Value;
        var (request, response) = (context.Request, context.Response);
        response.Headers.ContentSecurityPolicy = page._policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        response.Headers.CacheControl = "no-cache";
        response.Headers.ETag = page._tag;
        if (request.Headers.IfNoneMatch == page._tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = page._html.Length;
        if (!HttpMethods.IsHead(request.Method))
        {
            await response.Body.WriteAsync(page._html, context.RequestAborted);
        }
    }

    private static string Hash(string text) => Convert.ToBase64String(Sha256.Of(Encoding.UTF8.GetBytes(text)));

    private static string Read(string name)
    {
        using var stream = typeof(WebPage).Assembly.GetManifestResourceStream("page/" + name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
