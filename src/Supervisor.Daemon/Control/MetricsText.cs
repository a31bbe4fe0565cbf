using System.Text;
using Microsoft.AspNetCore.Http;

namespace Supervisor.Daemon.Control;

/// <summary>Answers with the metrics.</summary>
internal static class MetricsText
{
    private const string TextType = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>Answers with the metrics, as OpenMetrics if the client accepts that; HEAD with their length only.</summary>
    public static async Task WriteAsync(HttpContext context, MetricSamples samples)
    {
        var asOpenMetrics = context.Request.Headers.Accept.Any(
            accepted => accepted?.Contains("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) == true);
        var bytes = Encoding.UTF8.GetBytes(asOpenMetrics ? samples.OpenMetrics : samples.Text);
        context.Response.Headers.Vary = "Accept";
        context.Response.ContentType = asOpenMetrics ? OpenMetricsType : TextType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(bytes);
        }
    }
}
