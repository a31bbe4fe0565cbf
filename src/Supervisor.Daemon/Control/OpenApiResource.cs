using System.Text;
using Microsoft.AspNetCore.Http;
using Supervisor.Daemon.Model;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The description of the control interface. packaging/manual makes it from <see cref="ControlRoutes"/> and from the types of the
/// documents; it is docs/reference/openapi.json.
/// </summary>
internal static class OpenApiResource
{
    /// <summary>Stands for the version of this executable.</summary>
    public const string Version = "@VERSION@";

    private static readonly Lazy<byte[]> Text = new(Read);

    public static async Task Get(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = Text.Value.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(Text.Value, context.RequestAborted);
        }
    }

    private static byte[] Read()
    {
        using var stream = typeof(OpenApiResource).Assembly.GetManifestResourceStream("openapi.json")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return Encoding.UTF8.GetBytes(reader.ReadToEnd().Replace(Version, DaemonInfo.Version, StringComparison.Ordinal));
    }
}
