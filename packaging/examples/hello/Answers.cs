using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hello;

/// <summary>
/// The worker's four pages: <c>/</c> names the worker, <c>/pid</c> has the process id, <c>/slow?ms=500</c> responds after that
/// many milliseconds (0 to 10,000), <c>/big?kb=64</c> has a body of that many KiB (0 to 65,536).
/// </summary>
internal sealed class Answers
{
    private static readonly byte[] Block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("listend\n", 128)));

    private readonly byte[] _hello = Encoding.ASCII.GetBytes(
        $"hello from worker {Environment.GetEnvironmentVariable("LISTEND_WORKER") ?? "-"}"
        + $" generation {Environment.GetEnvironmentVariable("LISTEND_GENERATION") ?? "-"} pid {Environment.ProcessId}\n");

    private readonly byte[] _pid = Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n");

    /// <summary>Answers one request.</summary>
    public Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/" => WriteAsync(context, _hello, 1),
        "/pid" => WriteAsync(context, _pid, 1),
        "/slow" => SlowAsync(context),
        "/big" => WriteAsync(context, Block, Number(context, "kb", 64, 65_536)),
        _ => WriteAsync(context, "no such page\n"u8.ToArray(), 1, StatusCodes.Status404NotFound),
    };

    private async Task SlowAsync(HttpContext context)
    {
        await Task.Delay(Number(context, "ms", 500, 10_000), context.RequestAborted);
        await WriteAsync(context, _hello, 1);
    }

    private static async Task WriteAsync(HttpContext context, byte[] block, int times, int status = StatusCodes.Status200OK)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain";
        response.ContentLength = (long)block.Length * times;
        for (var i = 0; i < times; i++)
        {
            await response.Body.WriteAsync(block, context.RequestAborted);
        }
    }

    private static int Number(HttpContext context, string name, int otherwise, int most) =>
        int.TryParse(context.Request.Query[name], out var value) ? Math.Clamp(value, 0, most) : otherwise;
}
